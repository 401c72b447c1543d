// Makes a file of the lower layers disappear.   Run: node forget.ts UPPER PATH
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { AT, call, mknodat, S_IF } from '#linux';

const [upper = '', path = ''] = process.argv.slice(2);

// TODO: write into `upper` what overlay writes there when `path` is deleted.
void [upper, path, mkdirSync, rmSync, dirname, AT, call, mknodat, S_IF];
