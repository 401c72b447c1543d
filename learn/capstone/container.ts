// A container that only waits, and what the kernel says about it from outside.
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Lab, quote } from '../grader/lab.ts';
import type { Random } from '../grader/random.ts';
import type { Captured, Running } from '../sandbox/capture.ts';
import { hierarchies } from '../sandbox/groups.ts';

/** A command that waits, and cannot be mistaken for another. */
export function idle(random: Random): string[] {
  return ['sleep', `${random.integer(1_000_000, 9_000_000)}`];
}

export interface Container {
  /** Its process on the machine. */
  pid: number;
  command: readonly string[];
  /** The engine's command that runs it in the foreground. */
  client: Running;
}

/** Runs a container of busybox that waits, in the foreground. */
export async function waiting(lab: Lab, options: readonly string[] = []): Promise<Container> {
  const command = idle(lab.random);
  const client = await lab.start(['run', ...options, 'busybox', ...command]);
  return { pid: await processOf(lab, command, client), command, client };
}

/** Waits for the process of a container. */
export async function processOf(lab: Lab, command: readonly string[], client?: Running): Promise<number> {
  const pid = await lab.find(command, client === undefined ? {} : { running: client });
  lab.promise('runs', pid !== undefined, {
    promised: `the container runs ${command.join(' ')}`,
    seen:
      client?.stderr.trim() || client?.stdout.trim()
        ? `there is no such process; the engine said ${quote(client.stderr || client.stdout)}`
        : 'there is no process with exactly these arguments',
    look: 'the stages before this one: do they still pass?',
  });
  return pid!;
}

/** Runs a command of the engine that is only the way to what is checked. @returns its output, without the last newline */
export async function does(lab: Lab, ...args: string[]): Promise<string> {
  const ran = await lab.run(args);
  lab.promise(args[0]!, ran.code === 0, {
    promised: `my-docker ${args.join(' ')} works`,
    seen: `it exited with ${ran.code}${ran.stderr.trim() === '' ? '' : `, and said ${quote(ran.stderr.trim())}`}`,
    look: `what the page says about ${args[0]}`,
  });
  return ran.stdout.trimEnd();
}

/** A command for `run` and its output: what a shell in a new container of busybox prints. */
export function shell(lab: Lab, script: string, options: readonly string[] = []): Promise<Captured> {
  return lab.run(['run', ...options, 'busybox', 'sh', '-c', script]);
}

/** 'pid:[4026532251]' */
export function namespaceOf(pid: number, kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(statusOf(pid));
}

/** /proc/PID/status; empty if there is no such process. */
export function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** The first word of a field of /proc/PID/status: 'CapBnd' */
export function statusField(pid: number, field: string): string | undefined {
  return new RegExp(`^${field}:\\s+(\\S+)`, 'm').exec(statusOf(pid))?.[1];
}

/** A setting of a process's control group. @param names of the file in v1 and in v2 */
export function groupSetting(
  pid: number,
  controller: string,
  names: { v1: string; v2: string },
): string | undefined {
  const file = groupFile(pid, controller, names);
  return file === undefined ? undefined : readFileSync(file, 'utf8').trim();
}

/** The file of a setting, if there is one. */
export function groupFile(
  pid: number,
  controller: string,
  names: { v1: string; v2: string },
): string | undefined {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  for (const { root, version, controllers } of hierarchies()) {
    if (!controllers.includes(controller)) continue;
    const path = lines
      .map(line => line.split(':'))
      .find(([, of]) => (version === 2 ? of === '' : of!.split(',').includes(controller)))?.[2];
    const file = path === undefined ? undefined : join(root, path, version === 2 ? names.v2 : names.v1);
    if (file !== undefined && existsSync(file)) return file;
  }
  return undefined;
}
