// The check at the end of every test run: the run fails if it has left anything on the machine.
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMountinfo } from '../../mini-docker/linux/proc/mountinfo.ts';
import { readStat } from '../../mini-docker/linux/proc/stat.ts';
import {
  added,
  type LeftProcess,
  leftFiles,
  leftProcesses,
  MARKER,
  membersOf,
  type Snapshot,
  snapshot,
} from './leftovers.ts';

/** Milliseconds allowed for processes that are still ending after the last test. */
const PATIENCE = 5000;

/** Current runs, each a file 'PID-STARTTIME': simultaneous runs see each other's objects come and go. */
const register = join(tmpdir(), 'mini-docker-test-runs');

const id = randomUUID();
let directory: string;
let before: Snapshot;
let entry: string;

export function setup(): void {
  mkdirSync(register, { recursive: true });
  entry = `${process.pid}-${readStat()!.startTime}`;
  writeFileSync(join(register, entry), '');
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-run-'));
  // Some tests continue as another user.
  chmodSync(directory, 0o755);
  process.env[MARKER] = id;
  process.env.TMPDIR = directory;
  before = snapshot();
}

export async function teardown(): Promise<void> {
  let leaks = look();
  for (const end = Date.now() + PATIENCE; leaks.length > 0 && Date.now() < end; leaks = look())
    await sleep(100);
  const others = otherRuns();
  rmSync(join(register, entry), { force: true });
  for (const { pid } of processes()) endProcess(pid);
  removeDirectory();
  if (leaks.length === 0) return;
  const own = others.length === 0 ? leaks : leaks.filter(isSurelyOurs);
  const rest = leaks.filter(leak => !own.includes(leak));
  if (rest.length > 0)
    console.error(list('Left by these tests, or by others that run at the same time', rest));
  if (own.length === 0) return;
  console.error(list('The tests left behind', own));
  process.exitCode = 1;
}

function look(): string[] {
  const own = processes();
  // A group that contains another run's processes belongs to that run.
  const left = added(before, snapshot()).filter(leak => {
    const members = leak.startsWith('cgroup ') ? membersOf(leak.slice('cgroup '.length)) : [];
    return members.length === 0 || members.some(member => own.some(({ pid }) => pid === member));
  });
  return [...own.map(({ text }) => text), ...leftFiles(directory), ...left];
}

function processes(): LeftProcess[] {
  return leftProcesses(id, directory);
}

/** Whether the leak is certainly this run's; links, cgroups and tables do not show their owner. */
function isSurelyOurs(leak: string): boolean {
  return leak.startsWith('process ') || leak.includes(directory);
}

function otherRuns(): string[] {
  return readdirSync(register).filter(name => {
    const [pid, startTime] = name.split('-').map(Number);
    const alive = readStat(pid!)?.startTime === startTime;
    if (!alive) rmSync(join(register, name), { force: true });
    return alive && name !== entry;
  });
}

/** The process was found by its ties to this run, so no other run's process is hit. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended in the meantime.
  }
}

/** Never through a mount, which could lead to the machine's own files. */
function removeDirectory(): void {
  const mounted = readMountinfo()?.some(({ mountPoint }) => mountPoint.startsWith(directory));
  if (!mounted && existsSync(directory)) rmSync(directory, { recursive: true, force: true });
}

function list(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map(line => `  ${line}\n`).join('')}`;
}
