// Prints what a layer changes of the one below.   Run: node changes.ts LOWER UPPER
import { lstatSync, readdirSync } from 'node:fs';

const [lower = '', upper = ''] = process.argv.slice(2);

function kindOf(path: string): 'A' | 'C' | 'D' {
  // TODO: what is it above, and is there something of this name below?
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
