// A process that a test can examine from outside: it prints 'ready', waits, and ends with the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

export interface HeldProcess extends AsyncDisposable {
  readonly pid: number;
}

/**
 * Runs `sh -c script` (below `wrapper`, e.g. ['unshare', '-m']) and resolves once the script has run and
 * waits. `pid` is the shell's, even if the wrapper has forked.
 */
export async function hold(options: { wrapper?: string[]; script?: string } = {}): Promise<HeldProcess> {
  const { wrapper = [], script = ':' } = options;
  // `read` is a builtin, so it starts no further process; end of file on stdin ends it.
  const line = [...wrapper, 'sh', '-ec', `${script}\necho ready\nread _ || :`];
  const child = spawn(line[0]!, line.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stderr.on('data', chunk => {
    errors += chunk;
  });
  const exited = once(child, 'close');
  child.stdout.on('data', chunk => {
    output += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => output.includes('ready\n') && resolve());
    child.once('error', reject);
    child.once('close', code => reject(new Error(`${line.join(' ')}: it ended (${code}): ${errors}`)));
  });
  return {
    pid: deepest(child.pid!),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

/** The last process in a chain of only children. */
function deepest(pid: number): number {
  const file = `/proc/${pid}/task/${pid}/children`;
  const child = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : Number.NaN;
  return Number.isNaN(child) ? pid : deepest(child);
}
