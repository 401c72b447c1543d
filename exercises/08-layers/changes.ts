// Prints how a layer changes the one below.   Run: node changes.ts LOWER UPPER
import { lstatSync, readdirSync } from 'node:fs';

const [lower = '', upper = ''] = process.argv.slice(2);

function kindOf(path: string): 'A' | 'C' | 'D' {
  // TODO: what is the path in UPPER, and does it exist in LOWER?
  void [path, lower];
  return 'A';
}

function walk(directory: string): void {
  for (const name of readdirSync(upper + directory).toSorted()) {
    const path = `${directory}/${name}`;
    console.log(`${kindOf(path)} ${path}`);
    if (lstatSync(upper + path).isDirectory()) walk(path);
  }
}

walk('');
