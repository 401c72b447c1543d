// Makes a file of the layers below disappear.   Run: node forget.ts UPPER PATH
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { AT, call, mknodat, S_IF } from '#linux';

const [upper = '', path = ''] = process.argv.slice(2);

// TODO: what overlay writes into `upper` when somebody deletes `path`.
void [upper, path, mkdirSync, rmSync, dirname, AT, call, mknodat, S_IF];
