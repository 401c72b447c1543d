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
  const names = namesIn(layer);
  const marks = names.filter(name => basename(name).startsWith('.wh.'));
  for (const mark of marks) {
    const parent = join(directory, dirname(mark));
    const below = existsSync(parent) ? readdirSync(parent) : [];
    const gone = basename(mark) === '.wh..wh..opq' ? below : [basename(mark).slice('.wh.'.length)];
    for (const name of gone) rmSync(join(parent, name), { recursive: true, force: true });
  }
  for (const name of names) {
    const old = join(directory, name.replace(/\/$/, ''));
    const isDirectory = lstatSync(old, { throwIfNoEntry: false })?.isDirectory();
    if (isDirectory === !name.endsWith('/')) rmSync(old, { recursive: true });
  }
  execFileSync('tar', ['-C', directory, '--exclude=.wh.*', '-xf', layer]);
}
execFileSync('tar', ['-C', directory, '-cf', out, '.']);
