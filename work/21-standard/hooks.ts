// Runs the hooks of one kind.   Run: node hooks.ts BUNDLE KIND < STATE
import { spawnSync } from 'node:child_process';
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { clone, dup3, execve, pipe } from '#linux';
import { statusOf } from '../../chapters/01-process/program.ts';
import { inBox } from '../../chapters/11-exec/exec.ts';

interface Hook {
  path: string;
  args?: string[];
  env?: string[];
  /** Seconds. */
  timeout?: number;
}

const [bundle = '', kind = ''] = process.argv.slice(2);
const state = readFileSync(0, 'utf8');
const { hooks = {} } = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8'));
const INSIDE = ['createContainer', 'startContainer'];

/** @returns the hook's exit code; null if it was killed */
function runOutside({ path, args = [path], env = [], timeout = 0 }: Hook): number | null {
  const { status } = spawnSync(path, args.slice(1), {
    argv0: args[0],
    env: Object.fromEntries(env.map(line => line.split(/=(.*)/s))),
    input: state,
    timeout: timeout * 1000,
    killSignal: 'SIGKILL',
  });
  return status;
}

/** @returns the hook's exit code */
async function runInside({ path, args = [path], env = [] }: Hook): Promise<number> {
  const input = pipe();
  writeSync(input.writeEnd, state);
  closeSync(input.writeEnd);
  const { pid } = JSON.parse(state);
  return statusOf(clone(0, inBox(pid, [dup3(input.readEnd, 0, 0), execve(path, args, env)])));
}

for (const hook of (hooks[kind] ?? []) as Hook[]) {
  const code = INSIDE.includes(kind) ? await runInside(hook) : runOutside(hook);
  if (code === 0) continue;
  console.error(`the ${kind} hook ${hook.path} failed: ${code}`);
  if (kind === 'poststop') continue;
  process.exit(1);
}
