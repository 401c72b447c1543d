// Prints how a layer changes the one below.   Run: node changes.ts LOWER UPPER
import { lstatSync, readdirSync } from 'node:fs';

const [lower = '', upper = ''] = process.argv.slice(2);

function kindOf(path: string): 'A' | 'C' | 'D' {
  const above = lstatSync(upper + path);
  const below = lstatSync(lower + path, { throwIfNoEntry: false });
  if (above.isCharacterDevice() && above.rdev === 0) return 'D';
  return below === undefined ? 'A' : 'C';
}

function walk(directory: string): void {
  for (const name of readdirSync(upper + directory).toSorted()) {
    const path = `${directory}/${name}`;
    console.log(`${kindOf(path)} ${path}`);
    if (lstatSync(upper + path).isDirectory()) walk(path);
  }
}

walk('');
