// The tools of a check: the learner's program in a sandbox of its own, and the kernel's view of it from outside.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMountinfo, readStat, readStatus } from '#linux';
import { repository } from '../repository.ts';
import { begin, type Captured, type CaptureOptions, capture, type Running } from '../sandbox/capture.ts';
import { isBelow } from '../sandbox/coverings.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { type Broken, BrokenPromiseError } from './broken-promise.ts';
import type { Random } from './random.ts';
import { harmless, said } from './said.ts';
import { atTerminal, type Terminal, type Until } from './terminal.ts';

export interface RunOptions extends CaptureOptions {
  /** Words put before the command: ['unshare', '--uts'] */
  wrapper?: readonly string[];
}

/** All its time limits are in milliseconds, by default that of a run (10 s), and are multiplied by `--patience`. */
export interface Lab {
  readonly random: Random;
  readonly sandbox: Sandbox;
  /** Runs the learner's program, which must end within its time limit (by default 10 s). */
  run(args: readonly string[], options?: RunOptions): Promise<Captured>;
  /** Starts the learner's program and leaves it running. It ends with the sandbox, if not before. */
  start(args: readonly string[], options?: RunOptions): Promise<Running>;
  /** Starts the learner's program at a terminal at which the check sits. */
  atTerminal(args: readonly string[], options?: Pick<RunOptions, 'wrapper'>): Promise<Terminal>;
  /** Starts one of the machine's programs at such a terminal. */
  arrangeAtTerminal(argv: readonly string[]): Promise<Terminal>;
  /** Runs one of the machine's programs in the sandbox, to prepare or to inspect something there. */
  command(argv: readonly string[], options?: CaptureOptions): Promise<Captured>;
  /** Starts one of the machine's programs and leaves it running. It ends with the sandbox, if not before. */
  arrange(argv: readonly string[]): Promise<Running>;
  /** Waits for the first child of a running program. @returns undefined if it makes none within its time */
  childOf(running: Running): Promise<number | undefined>;
  /**
   * Waits for the process in the sandbox with exactly these arguments; make them unmistakable: ['sleep', '7203314'].
   * @returns its pid on the machine; undefined if none appears within the time, or `running` ends before that
   */
  find(
    argv: readonly string[],
    options?: { timeout?: number; running?: Running },
  ): Promise<number | undefined>;
  until: Until;
  /** Waits for a promise. @returns undefined if it has not settled within the time */
  within<T>(promise: Promise<T>, timeout?: number): Promise<T | undefined>;
  /** A time limit of the check in milliseconds, multiplied by the factor that `learn check --patience` gives. */
  patient(limit: number): number;
  /** The pid in the sandbox of the process whose pid on the machine is `pid`. */
  insidePid(pid: number): number | undefined;
  /** States a promise; if it is not kept, the task ends here. */
  promise(check: string, kept: boolean, told: { promised: string; seen: string; look: string }): void;
}

/** Describes how a program ended, for the `seen` of a promise. */
export function ending({ code, stdout }: Captured): string {
  const output = stdout.trim();
  const printed = output === '' ? 'printed nothing' : `printed ${quote(output)}`;
  return `it ${printed} and exited with ${code}`;
}

/** Quotes text as a string literal, shortened if it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** Time limits in milliseconds: of a run and of all that a check waits for; of programs that stay. */
const [LIMIT, LONG] = [10_000, 60_000];

export function lab(options: {
  sandbox: Sandbox;
  random: Random;
  /** The learner's program and its first arguments: ['node', 'box.ts'] */
  program: readonly string[];
  directory: string;
  environment: Record<string, string>;
  /** Factor for all time limits. */
  patience: number;
}): Lab {
  const { sandbox, random, directory, environment, patience } = options;
  const patient = (limit = LIMIT): number => limit * patience;
  const tools = toolsOf(sandbox);
  // The grader's own programs get more time on a slow machine, too, and never less than on a fast one.
  const unhurried = (limit: number): number => Math.max(limit, patient(limit));
  let last: { stderr: string; code?: number } | undefined;
  const program = (args: readonly string[], { wrapper = [] }: RunOptions = {}): string[] => [
    ...wrapper,
    ...options.program,
    ...args,
  ];
  const until: Until = async (holds, timeout) => {
    for (const deadline = Date.now() + patient(timeout); !(await holds()); await sleep(10))
      if (Date.now() > deadline) return false;
    return true;
  };
  /** Waits for a process, until the time is over or the one that would start it has ended. */
  const appears = async (
    process: () => number | undefined,
    { ended, timeout }: { ended: Promise<unknown> | undefined; timeout?: number | undefined },
  ): Promise<number | undefined> => {
    let over = false;
    void ended?.then(() => {
      over = true;
    });
    let pid: number | undefined;
    await until(() => {
      pid = process();
      return pid !== undefined || over;
    }, timeout);
    return pid;
  };
  return {
    random,
    sandbox,
    async run(args, runOptions) {
      const ran = await capture(sandbox, program(args, runOptions), {
        directory,
        ...runOptions,
        timeout: patient(runOptions?.timeout),
        environment: { ...environment, ...runOptions?.environment },
      });
      last = ran;
      if (ran.timedOut)
        throw broken({ check: 'ends-in-time', ...outOfTime([...options.program, ...args], sandbox) }, ran);
      return ran;
    },
    async start(args, startOptions) {
      const running = await begin(sandbox, program(args, startOptions), {
        directory,
        ...startOptions,
        timeout: unhurried(startOptions?.timeout ?? LONG),
        environment: { ...environment, ...startOptions?.environment },
      });
      last = running;
      void running.ended.then(ended => {
        if (last === running) last = ended;
      });
      return running;
    },
    atTerminal: (args, runOptions) =>
      atTerminal(sandbox, program(args, runOptions), { directory, environment, until }),
    async command(argv, commandOptions) {
      tools.check();
      return capture(sandbox, argv, {
        directory: '/',
        ...commandOptions,
        timeout: unhurried(commandOptions?.timeout ?? LIMIT),
      });
    },
    async arrange(argv) {
      tools.check();
      return begin(sandbox, argv, { directory: '/', timeout: unhurried(LONG) });
    },
    async arrangeAtTerminal(argv) {
      tools.check();
      return atTerminal(sandbox, argv, { directory: '/', until });
    },
    childOf: ({ pid, ended }) =>
      appears(() => sandbox.processes().find(each => readStat(each)?.ppid === pid), { ended }),
    find: (argv, { timeout, running } = {}) =>
      appears(() => sandbox.processes().find(each => hasArguments(each, argv)), {
        ended: running?.ended,
        timeout,
      }),
    until,
    within: (promise, timeout) => Promise.race([promise, sleep(patient(timeout), undefined, { ref: false })]),
    patient,
    insidePid: pid => readStatus(pid)?.nspid[1],
    promise(check, kept, told) {
      if (!kept) throw broken({ check, ...told }, last);
    },
  };
}

/**
 * The programs of the machine and of the course are read-only in a sandbox, but other files can be mounted over them.
 * The submission would then answer the questions that the grader asks these programs.
 */
function toolsOf(sandbox: Sandbox): { check(): void } {
  const mounted = (): string[] =>
    (readMountinfo(sandbox.pid) ?? [])
      .filter(
        ({ mountPoint }) =>
          /^\/(usr|bin|sbin|lib\w*|etc|$)/.test(mountPoint) ||
          mountPoint.includes('/node_modules') ||
          (isBelow(mountPoint, repository) && !isBelow(mountPoint, `${repository}/work`)),
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

/** Makes text safe to print: it may contain the submission's output, and names that it has chosen. */
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

/** Number of processes that no task comes near. */
const MANY = 60;

function outOfTime(command: readonly string[], sandbox: Sandbox): Omit<Broken, 'check'> {
  const promised = `the program ends when its work is done: ${command.join(' ')}`;
  const processes = sandbox.processes().length;
  if (processes > MANY) {
    return {
      promised,
      seen: `when its time was up there were ${processes} processes; all were killed`,
      look: 'it starts processes without end',
    };
  }
  return {
    promised,
    seen: 'it was still running when its time was up, and was killed',
    look: 'what does it wait for? wait(pid) without a child, a read without a writer, a loop',
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
