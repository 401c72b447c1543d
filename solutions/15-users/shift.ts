// Gives the files of a layer to the ids of a user namespace.   Run: node shift.ts DIRECTORY FIRST COUNT
import { chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [directory = '', first = '', count = ''] = process.argv.slice(2);

const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
const paths = [directory, ...names.map(name => join(directory, name))];

const shifted = (id: number): number => Number(first) + id;

/** Each file once, whatever the number of its names. */
const files = new Map(paths.map(path => [lstatSync(path).ino, { path, stats: lstatSync(path) }]));
const stranger = [...files.values()].find(({ stats }) => Math.max(stats.uid, stats.gid) >= Number(count));
if (stranger !== undefined) {
  console.error(`${stranger.path} belongs to an id that is not in the map`);
  process.exit(1);
}
for (const { path, stats } of files.values()) {
  lchownSync(path, shifted(stats.uid), shifted(stats.gid));
  // The kernel has taken setuid and setgid away.
  if (!stats.isSymbolicLink()) chmodSync(path, stats.mode & 0o7777);
}
