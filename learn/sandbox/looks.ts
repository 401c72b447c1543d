// Looks at the learner's sandboxes, one after another, as the kernel shows them.
import { readdirSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStat } from '#linux';
import type { BoxRow, View } from '../../mini-docker/formats/view.ts';
import { readBox } from '../../mini-docker/view/box.ts';
import { readUsage } from '../../mini-docker/view/groups.ts';
import { readHost } from '../../mini-docker/view/host.ts';
import { readProcesses } from '../../mini-docker/view/processes.ts';
import { repository } from '../repository.ts';
import { descendants } from './descendants.ts';

/** Milliseconds between two looks: what is typed beside is seen at once. */
const INTERVAL = 400;

interface Found {
  /** Its process 1. */
  pid: number;
  /** The program that made it. */
  maker: number;
  /** The maker's command: 'shell', 'run 3', 'check'. */
  command: string;
}

/** @param chosen host pid of the process 1 of the sandbox to read in depth */
export async function* looks(chosen: string | undefined): AsyncGenerator<View> {
  for (;;) {
    const found = await sandboxes();
    const wanted = found.find(({ pid }) => String(pid) === chosen) ?? found[0];
    const box = wanted && (await inDepth(wanted));
    yield {
      at: Date.now(),
      host: readHost(),
      boxes: found.map(row),
      ...(wanted === undefined ? {} : { wanted: String(wanted.pid) }),
      ...(box === undefined ? {} : { chosen: box }),
    };
    await sleep(INTERVAL);
  }
}

/** Those of this course's command: shells and runs first, the newest first. */
async function sandboxes(): Promise<Found[]> {
  const stats = readdirSync('/proc')
    .map(Number)
    .filter(Number.isInteger)
    .flatMap(pid => readStat(pid) ?? [])
    // Process 1 of a sandbox has given itself this name (sandbox/init.ts).
    .filter(({ comm, state }) => comm === 'sandbox' && state !== 'Z')
    .sort((a, b) => b.startTime - a.startTime);
  const makers = await readProcesses(stats.map(({ ppid }) => ppid));
  const found = stats.flatMap(({ pid, ppid }): Found[] => {
    const command = commandOf(ppid, makers.find(each => each.pid === ppid)?.command ?? '');
    return command === undefined ? [] : [{ pid, maker: ppid, command }];
  });
  const isOpen = ({ command }: Found) => Number(/^(shell|run)\b/.test(command));
  return found.sort((a, b) => isOpen(b) - isOpen(a));
}

/** The arguments of `learn`; undefined for another program, and for another copy of the course. */
function commandOf(pid: number, commandLine: string): string | undefined {
  const match = /(\S*\/learn\/main\.ts) (.*)/s.exec(commandLine);
  if (match === null) return undefined;
  try {
    // bin/learn gives the path as it was called itself.
    const program = resolve(readlinkSync(`/proc/${pid}/cwd`), match[1]!);
    return program === join(repository, 'learn/main.ts') ? match[2] : undefined;
  } catch {
    // It has ended, or is another user's.
    return undefined;
  }
}

/** Programs that entered a sandbox are children of its maker, and not of its process 1. */
async function inDepth({ pid, maker }: Found) {
  const pids = descendants([maker]).filter(each => each !== maker);
  return readBox({ id: String(pid), main: pid, pids, neighbours: [] });
}

function row({ pid, command }: Found): BoxRow {
  const usage = readUsage(pid);
  return {
    id: String(pid),
    name: command,
    image: '',
    status: 'running',
    note: `its process 1 is pid ${pid} on this machine`,
    ...(usage === undefined ? {} : { usage }),
  };
}
