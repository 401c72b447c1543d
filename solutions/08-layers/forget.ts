// Makes a file of the lower layers disappear.   Run: node forget.ts UPPER PATH
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { AT, call, mknodat, S_IF } from '#linux';

const [upper = '', path = ''] = process.argv.slice(2);

mkdirSync(dirname(upper + path), { recursive: true });
rmSync(upper + path, { recursive: true, force: true });
call(mknodat(AT.FDCWD, upper + path, S_IF.CHR, 0));
