// What a check works with: the learner's program in a sandbox of its own, and the kernel's view of it from outside.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMountinfo, readStat, readStatus } from '#linux';
import { begin, type Captured, type CaptureOptions, capture, type Running } from '../sandbox/capture.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { type Broken, BrokenPromiseError } from './broken-promise.ts';
import type { Random } from './random.ts';
import { harmless, said } from './said.ts';

export interface RunOptions extends CaptureOptions {
  /** Comes before it: ['unshare', '--uts'] */
  wrapper?: readonly string[];
}

export interface Lab {
  readonly random: Random;
  readonly sandbox: Sandbox;
  /** Runs the learner's program to its end, which must come in time (10 s unless said otherwise). */
  run(args: readonly string[], options?: RunOptions): Promise<Captured>;
  /** Starts it and leaves it running. It ends with the sandbox, if not before. */
  start(args: readonly string[], options?: RunOptions): Promise<Running>;
  /** Runs a program of the machine's in the sandbox, to arrange something or to look at it from there. */
  command(argv: readonly string[], options?: CaptureOptions): Promise<Captured>;
  /** Starts a program of the machine's and leaves it running. It ends with the sandbox, if not before. */
  arrange(argv: readonly string[]): Promise<Running>;
  /** The first process that a running program has made, once there is one; undefined when it has made none in its time. */
  childOf(running: Running): Promise<number | undefined>;
  /**
   * The process in the sandbox whose arguments are exactly these, once it is there: its pid as the machine numbers it.
   * Make them unmistakable: ['sleep', '7203314']. undefined when none appears within the time, or `running` ends before.
   */
  find(
    argv: readonly string[],
    options?: { timeout?: number; running?: Running },
  ): Promise<number | undefined>;
  /** What the sandbox calls the process that the machine calls `pid`. */
  insidePid(pid: number): number | undefined;
  /** Says what holds; the task ends here when it does not. */
  promise(check: string, kept: boolean, told: { promised: string; seen: string; look: string }): void;
}

/** How a program ended, for the `seen` of a promise. */
export function ending({ code, stdout }: Captured): string {
  const output = stdout.trim();
  const printed = output === '' ? 'printed nothing' : `printed ${quote(output)}`;
  return `it ${printed} and ended with ${code}`;
}

/** As it would be typed, cut where it gets long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

export function lab(options: {
  sandbox: Sandbox;
  random: Random;
  file: string;
  directory: string;
  /** Milliseconds that a run may take. */
  timeout: number;
}): Lab {
  const { sandbox, random, file, directory, timeout } = options;
  const tools = toolsOf(sandbox);
  let last: { stderr: string; code?: number } | undefined;
  const program = (args: readonly string[], { wrapper = [] }: RunOptions = {}): string[] => [
    ...wrapper,
    'node',
    file,
    ...args,
  ];
  return {
    random,
    sandbox,
    async run(args, runOptions) {
      const ran = await capture(sandbox, program(args, runOptions), { directory, timeout, ...runOptions });
      last = ran;
      if (ran.timedOut) throw broken({ check: 'ends-in-time', ...outOfTime([file, ...args], sandbox) }, ran);
      return ran;
    },
    async start(args, startOptions) {
      const running = await begin(sandbox, program(args, startOptions), {
        directory,
        timeout: 60_000,
        ...startOptions,
      });
      last = running;
      void running.ended.then(ended => {
        if (last === running) last = ended;
      });
      return running;
    },
    async command(argv, commandOptions) {
      tools.check();
      return capture(sandbox, argv, { directory: '/', ...commandOptions });
    },
    async arrange(argv) {
      tools.check();
      return begin(sandbox, argv, { directory: '/', timeout: 60_000 });
    },
    async childOf({ pid, ended }) {
      let over = false;
      void ended.then(() => {
        over = true;
      });
      for (const deadline = Date.now() + timeout; !over && Date.now() < deadline; await sleep(10)) {
        const child = sandbox.processes().find(each => readStat(each)?.ppid === pid);
        if (child !== undefined) return child;
      }
      return undefined;
    },
    async find(argv, { timeout: patience = timeout, running } = {}) {
      let ended = false;
      void running?.ended.then(() => {
        ended = true;
      });
      for (const deadline = Date.now() + patience; ; ) {
        const pid = sandbox.processes().find(each => hasArguments(each, argv));
        if (pid !== undefined) return pid;
        if (ended || Date.now() > deadline) return undefined;
        await sleep(10);
      }
    },
    insidePid: pid => readStatus(pid)?.nspid[1],
    promise(check, kept, told) {
      if (!kept) throw broken({ check, ...told }, last);
    },
  };
}

/**
 * The machine's programs in a sandbox cannot be written, but other files can be mounted over them: then what the grader
 * asks them would be answered by the submission.
 */
function toolsOf(sandbox: Sandbox): { check(): void } {
  const mounted = (): string[] =>
    (readMountinfo(sandbox.pid) ?? [])
      .filter(
        ({ mountPoint }) =>
          /^\/(usr|bin|sbin|lib\w*|etc|$)/.test(mountPoint) || mountPoint.includes('/node_modules'),
      )
      .map(({ id, mountPoint }) => `${id} ${mountPoint}`);
  const before = mounted();
  return {
    check() {
      const covered = mounted().find(each => !before.includes(each));
      if (covered === undefined) return;
      throw broken(
        {
          check: 'tools-untouched',
          promised: "outside of the box, the machine's programs stay what they are",
          seen: `something is mounted on ${covered.split(' ')[1]}`,
          look: 'the propagation of mounts: "shared:" in /proc/self/mountinfo; mount_namespaces(7)',
        },
        undefined,
      );
    },
  };
}

/** What is told of a submission may contain what it has written, and names that it has chosen. */
function broken(
  { check, promised, seen, look }: Omit<Broken, 'said'>,
  program: { stderr: string; code?: number } | undefined,
): BrokenPromiseError {
  const written = said(program?.stderr ?? '', program?.code);
  return new BrokenPromiseError({
    check,
    promised: harmless(promised),
    seen: harmless(seen),
    look: harmless(look),
    ...(written === undefined ? {} : { said: written }),
  });
}

/** More than any task asks for. */
const MANY = 60;

function outOfTime(command: readonly string[], sandbox: Sandbox): Omit<Broken, 'check'> {
  const promised = `it ends when its work is done: node ${command.join(' ')}`;
  const processes = sandbox.processes().length;
  if (processes > MANY) {
    return {
      promised,
      seen: `its time was over, there were ${processes} processes, and all were killed`,
      look: 'where it starts processes: that goes on without end',
    };
  }
  return {
    promised,
    seen: 'it was still running when its time was over, and was killed',
    look: 'what it waits for: wait(pid) without a child, a read without a writer, a loop',
  };
}

function hasArguments(pid: number, argv: readonly string[]): boolean {
  const [program = '', ...args] = argv;
  const [first = '', ...rest] = commandLine(pid);
  return (
    basename(first) === basename(program) &&
    rest.length === args.length &&
    rest.every((arg, n) => arg === args[n])
  );
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
