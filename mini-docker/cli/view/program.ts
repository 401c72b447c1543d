// Runs another command of ours for the view.
import { spawn } from 'node:child_process';

/** Characters of its output. */
const LONGEST = 1 << 20;

export function runProgram(
  argv: readonly string[],
  streams: 'inherit' | 'pipe',
): Promise<{ code: number; output: string }> {
  const [program, ...args] = argv as [string, ...string[]];
  const child = spawn(program, args, {
    stdio: streams === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < LONGEST) output += text;
    });
  return new Promise(resolve => {
    child.once('error', error => resolve({ code: 127, output: error.message }));
    child.once('close', code => resolve({ code: code ?? 1, output }));
  });
}
