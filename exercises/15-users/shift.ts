// Gives the files of a layer to the ids of a user namespace.   Run: node shift.ts DIRECTORY FIRST COUNT
import { chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [directory = '', first = '', count = ''] = process.argv.slice(2);

const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
const paths = [directory, ...names.map(name => join(directory, name))];

// TODO: to whom does each of them belong afterwards?
void [paths, first, count, chmodSync, lchownSync, lstatSync];
