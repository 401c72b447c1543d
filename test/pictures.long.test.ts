import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takePictures, wordsOf } from '../pictures/scenes.ts';

const root = join(import.meta.dirname, '..');

test('the pictures show what the commands print now (npm run pictures makes them anew)', async () => {
  for (const { name, svg } of await takePictures()) {
    const kept = readFileSync(join(root, 'docs/pictures', `${name}.svg`), 'utf8');
    expect({ name, words: wordsOf(kept) }).toEqual({ name, words: wordsOf(svg) });
  }
}, 120_000);

test('README.md shows each of them, with a text for those who do not see it', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const name of ['explain', 'map', 'layers', 'view', 'web', 'course'])
    expect(readme).toMatch(new RegExp(`!\\[[^\\]]{20,}\\]\\(docs/pictures/${name}\\.svg\\)`));
});
