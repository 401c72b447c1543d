// The hooks of a bundle: programs that run at points of the container's life, with its state as JSON on their
// standard input. Those of the runtime's namespaces are children of this program; those of the container's
// are started by steps that enter its namespaces first.
import { closeSync, writeSync } from 'node:fs';
import { FormatError } from '../formats/errors.ts';
import {
  HOOK_KINDS,
  type Hook,
  type HookKind,
  type Hooks,
  type Process,
  type Spec,
} from '../formats/oci/runtime-spec.ts';
import { resetSignals } from '../linux/child.ts';
import { CLONE, SIG } from '../linux/constants.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { sharedMemory } from '../linux/memfd.ts';
import { spawnSync } from '../linux/on-demand.ts';
import { because } from '../linux/step.ts';
import { cloneCall, close, dup3, execve, setns } from '../linux/syscalls.ts';
import { FD } from '../runtime/descriptors.ts';
import { closeDescriptors, workingDirectory } from '../runtime/execution.ts';
import { limits, rights } from '../runtime/identity.ts';
import { lastCapability } from '../runtime/last-capability.ts';
import { loadFilter } from '../runtime/seccomp/load.ts';
import { section } from '../runtime/section.ts';
import type { PublicState } from './container-state.ts';
import { launch } from './launch.ts';
import { namespacesOf } from './namespaces-of.ts';

const LARGEST_OUTPUT = 1 << 20;

/** @throws FormatError */
export function checkHooks(hooks: Hooks): void {
  for (const kind of HOOK_KINDS) {
    for (const { path, timeout } of hooks[kind] ?? []) {
      if (typeof path !== 'string' || !path.startsWith('/'))
        throw new FormatError(`hooks.${kind}: path must be absolute`);
      if (timeout !== undefined && timeout !== null && !(timeout > 0))
        throw new FormatError(`hooks.${kind}: timeout must be greater than 0`);
    }
  }
}

const failed = (kind: HookKind, index: number, why: string): Error =>
  new Error(`error running ${kind} hook #${index}: ${why}`);

/** Runs the hooks of one kind in the runtime's namespaces. @throws Error when one fails */
export function runHooks(spec: Spec, kind: HookKind, state: PublicState): void {
  for (const [index, hook] of (spec.hooks?.[kind] ?? []).entries()) {
    const { path, args = [path], env = [], timeout } = hook;
    using input = new StateInput(state);
    const ended = spawnSync(path, args.slice(1), {
      argv0: args[0] ?? path,
      env: Object.fromEntries(env.map(entry => entry.split(/=(.*)/s, 2) as [string, string])),
      stdio: [input.fd, 'pipe', 'pipe'],
      timeout: timeout ? timeout * 1000 : undefined,
      killSignal: 'SIGKILL',
      maxBuffer: LARGEST_OUTPUT,
      encoding: 'utf8',
    });
    const { status, signal, stdout, stderr } = ended;
    const error = ended.error as NodeJS.ErrnoException | undefined;
    if (status === 0 && error === undefined) continue;
    if (error?.code === 'ETIMEDOUT')
      throw failed(kind, index, `hook ran past specified timeout of ${timeout}.0s`);
    if (status === null && signal === null) throw failed(kind, index, error?.message ?? 'it did not run');
    const what = signal === null ? `exit status ${status}` : `signal: ${signal}`;
    throw failed(kind, index, `${what}, stdout: ${stdout}, stderr: ${stderr}`);
  }
}

/**
 * Runs the hooks of one kind in the container's namespaces.
 * @param as the process whose user and rights they get; without it, root in the container
 */
export async function runHooksInside(options: {
  spec: Spec;
  kind: HookKind;
  state: PublicState;
  /** A process in the namespaces. */
  process: HeldProcess;
  as?: Process;
}): Promise<void> {
  const { spec, kind, state, process, as } = options;
  const flags = namespacesOf(state.pid).reduce((sum, each) => sum | each, 0);
  for (const [index, hook] of (spec.hooks?.[kind] ?? []).entries()) {
    const pid = new Uint8Array(4);
    const filter = as === undefined ? [] : loadFilter(spec.linux.seccomp ?? undefined);
    const { path, args = [path], env = [] } = hook;
    const run = execve(path, args, env);
    const sections = [
      section('namespaces', because("the container's", setns(FD.container, flags)), [
        {
          control: 'fork',
          step: cloneCall(CLONE.PARENT | CLONE.PARENT_SETTID | SIG.CHLD, 0, pid, 0, 0),
          parent: 'done',
        },
      ]),
      section('its state', dup3(FD.stdin, 0, 0)),
      ...(as === undefined
        ? []
        : [
            section(
              'user and rights',
              workingDirectory(as, false),
              limits(as),
              ...rights(as, { lastCapability: lastCapability(), loadsFilter: filter.length > 0 }),
            ),
          ]),
      section('the hook', closeDescriptors(), resetSignals(), filter, run),
      section('the one that forked', close(FD.ready), [
        { control: 'label', name: 'done' },
        { control: 'exit', status: 0 },
      ]),
    ];
    using input = new StateInput(state);
    const launched = await launch({
      sections,
      pid,
      descriptors: [
        [process.pidfd, FD.container],
        [input.fd, FD.stdin],
      ],
      argv: ['mini-docker-hook', state.id],
      program: path,
    });
    try {
      launched.arrive();
      await ended({ launched: launched.pid, hook, kind, index });
    } finally {
      launched.close();
    }
  }
}

/**
 * The state as a hook's standard input: a file in memory, which no hook has to read, and which /dev/stdin can open.
 * Node's own pipes are sockets, and open(2) refuses those.
 */
class StateInput implements Disposable {
  readonly fd: number;

  constructor(state: PublicState) {
    const bytes = Buffer.from(JSON.stringify(state));
    this.fd = sharedMemory('state', bytes.length);
    // At a position, so that the hook reads from the beginning.
    writeSync(this.fd, bytes, 0, bytes.length, 0);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

async function ended(options: {
  launched: number;
  hook: Hook;
  kind: HookKind;
  index: number;
}): Promise<void> {
  const { launched, hook, kind, index } = options;
  const held = HeldProcess.of(launched);
  if (held === undefined) return;
  let late = false;
  const timer =
    hook.timeout &&
    setTimeout(() => {
      late = true;
      held.signal(SIG.KILL);
    }, hook.timeout * 1000);
  const status = await held.ended();
  if (timer) clearTimeout(timer);
  if (late) throw failed(kind, index, `hook ran past specified timeout of ${hook.timeout}.0s`);
  if (status?.code !== 0) throw failed(kind, index, `exit status ${status?.code}`);
}
