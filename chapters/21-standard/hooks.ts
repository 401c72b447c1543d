// Hooks: programs of the caller, run at fixed moments of a box's life, with the state of the box on their stdin.
import { spawnSync } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { clone, dup3, execve, pipe, wait } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import { inBox } from '../11-exec/exec.ts';
import type { HookKind } from './bundle.ts';
import { type Box, type State, stateOf } from './record.ts';

/**
 * One after another, in the machine's namespaces.
 * @param failed what to do when one fails. @throws Mistake with the first that fails, if nothing else is said
 */
export function runHooks(
  box: Box,
  kind: HookKind,
  state: State = stateOf(box),
  failed = (mistake: Mistake): void => {
    throw mistake;
  },
): void {
  for (const { path, args = [path], env = [], timeout } of box.config.hooks?.[kind] ?? []) {
    const { status, stderr, error } = spawnSync(path, args.slice(1), {
      argv0: args[0],
      env: Object.fromEntries(env.map(line => line.split(/=(.*)/s))),
      input: JSON.stringify(state),
      ...(timeout === undefined ? {} : { timeout: timeout * 1000, killSignal: 'SIGKILL' }),
    });
    // EPIPE: it did not read its input. It need not.
    const why =
      error !== undefined && !error.message.includes('EPIPE') ? error.message : `exit code ${status}`;
    if (status !== 0) failed(new Mistake(`the ${kind} hook ${path} failed: ${why} ${stderr ?? ''}`.trim()));
  }
}

/** One after another, in the namespaces of the box's process. @throws Mistake with the first that fails */
export async function runHooksInside(box: Box, kind: HookKind): Promise<void> {
  for (const { path, args = [path], env = [] } of box.config.hooks?.[kind] ?? []) {
    const state = pipe();
    writeSync(state.writeEnd, JSON.stringify(stateOf(box)));
    closeSync(state.writeEnd);
    const pid = clone(0, inBox(box.process!.pid, [dup3(state.readEnd, 0, 0), execve(path, args, env)]));
    closeSync(state.readEnd);
    const code = await wait(pid);
    if (code !== 0) throw new Mistake(`the ${kind} hook ${path} failed: exit code ${code}`);
  }
}
