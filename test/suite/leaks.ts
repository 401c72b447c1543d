// The check that ends every test run: what is on the machine then that was not there before fails it.
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

/** What is just ending when the last test has is given this long. */
const PATIENCE = 5000;

/** Runs that are under way, each a file 'PID-STARTTIME': those at the same time see each other's things come and go. */
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
  // Some tests go on as another user.
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
  // A group with processes of somebody else is somebody else's.
  const left = added(before, snapshot()).filter(leak => {
    const members = leak.startsWith('cgroup ') ? membersOf(leak.slice('cgroup '.length)) : [];
    return members.length === 0 || members.some(member => own.some(({ pid }) => pid === member));
  });
  return [...own.map(({ text }) => text), ...leftFiles(directory), ...left];
}

function processes(): LeftProcess[] {
  return leftProcesses(id, directory);
}

/** Links, cgroups and tables do not tell whose they are. */
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

/** It was found by what it holds of this run, so nobody else's is hit. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Not through a mount: what lies behind it may be the machine's own. */
function removeDirectory(): void {
  const mounted = readMountinfo()?.some(({ mountPoint }) => mountPoint.startsWith(directory));
  if (!mounted && existsSync(directory)) rmSync(directory, { recursive: true, force: true });
}

function list(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map(line => `  ${line}\n`).join('')}`;
}
