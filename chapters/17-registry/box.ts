// Chapter 17. Images from a registry, and into one: chapter 16's box with three more verbs.
// Run: node chapters/17-registry/box.ts pull HOST:PORT/NAME[:TAG] | push HOST:PORT/NAME[:TAG] | tag IMAGE NAME
//      … box.ts run … IMAGE [COMMAND…], and all the other verbs of chapter 16
import { Mistake } from '../04-mounts/mistake.ts';
import { tagImage, tags } from '../09-images/store.ts';
import { addedVerbs } from '../12-stay/spec.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';

function tag(image: string, name: string): void {
  const manifest = tags().get(image);
  if (manifest === undefined) throw new Mistake(`there is no image ${image}`);
  tagImage(name, manifest);
}

addedVerbs.push('pull', 'push', 'tag');
const [verb, first = '', second = ''] = process.argv.slice(2);
if (verb === 'pull') console.log((await pull(first)).digest);
else if (verb === 'push') console.log((await push(first)).digest);
else if (verb === 'tag') tag(first, second);
else await import('../16-rights/box.ts');
