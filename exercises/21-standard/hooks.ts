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
function runOutside({ path, args = [path] }: Hook): number | null {
  // TODO: its argv[0], its environment and no other, the state, and the timeout
  const { status } = spawnSync(path, args.slice(1));
  return status;
}

/** @returns the hook's exit code */
async function runInside({ path, args = [path], env = [] }: Hook): Promise<number> {
  // TODO: the state on its stdin, and the namespaces of the process that the state names
  void [bundle, closeSync, dup3, inBox, pipe, state, writeSync];
  return statusOf(clone(0, [execve(path, args, env)]));
}

for (const hook of (hooks[kind] ?? []) as Hook[]) {
  const code = INSIDE.includes(kind) ? await runInside(hook) : runOutside(hook);
  // TODO: what if it is not 0?
  void code;
}
