// Prints a file that a layer contains, even if a layer above deletes it.   Run: node recover.ts LAYER.tar… PATH
import { spawnSync } from 'node:child_process';

const layers = process.argv.slice(2);
const path = layers.pop()!;

/** @returns the content of a file; undefined if the archive does not contain it */
function contentOf(layer: string, file: string): string | undefined {
  const names = spawnSync('tar', ['-tf', layer], { encoding: 'utf8' }).stdout.split('\n');
  const name = names.find(each => each.replace(/^\.\//, '') === file);
  if (name === undefined) return undefined;
  return spawnSync('tar', ['-xOf', layer, name], { encoding: 'utf8' }).stdout;
}

const versions = layers.map(layer => contentOf(layer, path));
const newest = versions.findLast(version => version !== undefined);
if (newest === undefined) process.exitCode = 1;
else process.stdout.write(newest);
