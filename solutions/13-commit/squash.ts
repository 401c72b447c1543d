// Makes one layer of many.   Run: node squash.ts LAYER.tar… OUT.tar
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const layers = process.argv.slice(2);
const out = layers.pop()!;
const directory = mkdtempSync('/tmp/squash-');

function namesIn(layer: string): string[] {
  return execFileSync('tar', ['-tf', layer], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

for (const layer of layers) {
  const marks = namesIn(layer).filter(name => basename(name).startsWith('.wh.'));
  for (const mark of marks) {
    const parent = join(directory, dirname(mark));
    const gone =
      basename(mark) === '.wh..wh..opq' ? readdirSync(parent) : [basename(mark).slice('.wh.'.length)];
    for (const name of gone) rmSync(join(parent, name), { recursive: true, force: true });
  }
  execFileSync('tar', ['-C', directory, '--exclude=.wh.*', '-xf', layer]);
}
execFileSync('tar', ['-C', directory, '-cf', out, '.']);
