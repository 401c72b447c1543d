// Watches for OOM kills. Version 2 reports them through inotify; version 1 through an eventfd, shared by all
// cgroups, which only says that some counter may have changed.
import { closeSync, type FSWatcher, openSync, watch } from 'node:fs';
import { call } from '../../linux/call.ts';
import { O } from '../../linux/constants.ts';
import { Descriptor } from '../../linux/descriptor.ts';
import { watchReadable } from '../../linux/readable.ts';
import { mayFail } from '../../linux/step.ts';
import { eventfd, read } from '../../linux/syscalls.ts';
import type { CgroupWatch } from './cgroup.ts';
import { isGone, writeValue } from './files.ts';

/**
 * Milliseconds in which checks follow the kernel's notification, and the pauses between them: version 1 notifies before it
 * counts, and the kill takes a moment.
 */
const LOOK_FOR = 1000;
const PAUSES = { first: 10, last: 500 };

/** Milliseconds between checks when inotify is unavailable. */
const POLL_MS = 500;

/**
 * @param file cgroup v2's memory.events
 * @param count reads the counter of kills
 */
export function watchOomV2(file: string, count: () => number, onKill: () => void): CgroupWatch {
  const look = counter(count, onKill);
  let watcher: FSWatcher;
  try {
    // persistent: false, so that watching does not keep the process alive.
    watcher = watch(file, { persistent: false }, look);
  } catch {
    // inotify instances are counted per user, and any of root's containers may have used them up.
    const timer = setInterval(look, POLL_MS).unref();
    return { stop: () => clearInterval(timer) };
  }
  // The file disappears with its cgroup.
  watcher.on('error', () => watcher.close());
  return { stop: () => watcher.close() };
}

/** Looks at the counter of each watched cgroup, in version 1. */
const looks = new Set<() => void>();
let shared: { fd: number; stop(): void; cgroupGoes(): void } | undefined;

/** @param directory the cgroup's directory in the hierarchy of the memory controller, version 1 */
export function watchOomV1(directory: string, count: () => number, onKill: () => void): CgroupWatch {
  const look = counter(count, onKill);
  shared ??= listen();
  looks.add(look);
  register(directory, shared.fd);
  return {
    stop() {
      if (!looks.delete(look)) return;
      shared?.cgroupGoes();
      if (looks.size > 0) return;
      // The kernel drops its registrations with it.
      shared?.stop();
      shared = undefined;
    },
  };
}

/** Documentation/admin-guide/cgroup-v1/memcg_test.rst, "notification": the descriptors of an eventfd and of the file. */
function register(directory: string, fd: number): void {
  using control = new Descriptor(openSync(`${directory}/memory.oom_control`, 'r'));
  writeValue(`${directory}/cgroup.event_control`, `${fd} ${control.number}`);
}

function listen(): NonNullable<typeof shared> {
  // EFD_CLOEXEC and EFD_NONBLOCK are these (<linux/eventfd.h>).
  const fd = call(eventfd(0, O.CLOEXEC | O.NONBLOCK));
  const events = Buffer.alloc(8);
  // The kernel notifies once for each cgroup that is removed, too: among thousands of cgroups, each removal would otherwise
  // make the daemon look at all others.
  let leaving = 0;
  let latestLeft = 0;
  let until = 0;
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  const look = (pause: number) => {
    const began = performance.now();
    for (const each of looks) each();
    const now = performance.now();
    const next = Math.max(pause, 10 * (now - began));
    isLooking = now < until;
    timer = isLooking ? setTimeout(look, next, Math.min(2 * next, PAUSES.last)).unref() : undefined;
  };
  const lookLate = () => {
    if (performance.now() - latestLeft < LOOK_FOR) {
      timer = setTimeout(lookLate, LOOK_FOR).unref();
      return;
    }
    leaving = 0;
    look(PAUSES.first);
  };
  const watched = watchReadable(fd, () => {
    if (call(mayFail(read(fd, events), 'EAGAIN')) < 0) return;
    const count = Number(events.readBigUInt64LE());
    const expected = Math.min(leaving, count);
    leaving -= expected;
    if (count > expected) {
      until = performance.now() + LOOK_FOR;
      if (isLooking) return;
      clearTimeout(timer);
      look(PAUSES.first);
      // A cgroup that was to be removed may have stayed, and this have been another one's notification.
    } else timer ??= setTimeout(lookLate, LOOK_FOR).unref();
  });
  return {
    fd,
    cgroupGoes() {
      leaving += 1;
      latestLeft = performance.now();
    },
    stop() {
      clearTimeout(timer);
      watched.stop();
      closeSync(fd);
    },
  };
}

/** Calls `onKill` when the counter has increased since the last check. */
function counter(count: () => number, onKill: () => void): () => void {
  const read = () => {
    try {
      return count();
    } catch (error) {
      if (isGone(error)) return 0;
      throw error;
    }
  };
  let known = read();
  return () => {
    const now = read();
    if (now > known) onKill();
    known = Math.max(known, now);
  };
}
