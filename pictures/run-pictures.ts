// `npm run pictures`: makes the pictures in README.md anew.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takePictures } from './scenes.ts';

for (const { name, svg } of await takePictures()) {
  const path = join(import.meta.dirname, '../docs/pictures', `${name}.svg`);
  writeFileSync(path, svg);
  console.log(path);
}
