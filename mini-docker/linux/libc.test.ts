import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Calls exitAtOnce(7) in a program whose standard input is the given file. */
function leave(input: number) {
  const program = `
    process.on('exit', () => console.log('left as usual'));
    const { exitAtOnce } = await import(${JSON.stringify(join(import.meta.dirname, 'libc.ts'))});
    exitAtOnce(7);
    console.log('came back');`;
  const { status, stdout } = spawnSync(
    'sh',
    ['-c', 'exec "$0" --input-type=module -e "$1" <&3', process.execPath, program],
    { stdio: ['ignore', 'pipe', 'ignore', input], encoding: 'utf8' },
  );
  return { status, stdout };
}

test("a program ends without Node's clean-up, unless a file that others share needs it", () => {
  const plain = openSync('/dev/null', 'r');
  const changed = openSync('/dev/null', constants.O_RDONLY | constants.O_NONBLOCK);
  const terminal = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY);
  try {
    expect(leave(plain)).toEqual({ status: 7, stdout: '' });
    expect(leave(changed)).toEqual({ status: 0, stdout: 'came back\nleft as usual\n' });
    expect(leave(terminal)).toEqual({ status: 0, stdout: 'came back\nleft as usual\n' });
  } finally {
    for (const fd of [plain, changed, terminal]) closeSync(fd);
  }
});
