// Watches for OOM kills. Version 2 reports them through inotify; version 1 through an eventfd, shared by all
// cgroups, which only says that some counter may have changed.
import { closeSync, type FSWatcher, openSync, watch } from 'node:fs';
import { call } from '../../linux/call.ts';
import { O } from '../../linux/constants.ts';
import { watchReadable } from '../../linux/readable.ts';
import { eventfd } from '../../linux/syscalls.ts';
import type { CgroupWatch } from './cgroup.ts';
import { isGone, writeValue } from './files.ts';

/**
 * Milliseconds from the kernel's notification until each check: version 1 notifies before it counts, and the
 * kill takes a moment.
 */
const LOOKS = [0, 10, 50, 200, 1000];

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

const listeners = new Set<() => void>();
let shared: { fd: number; stop(): void } | undefined;

/** @param directory the cgroup's directory in the hierarchy of the memory controller, version 1 */
export function watchOomV1(directory: string, count: () => number, onKill: () => void): CgroupWatch {
  const look = counter(count, onKill);
  const timers = new Set<NodeJS.Timeout>();
  const lookAFewTimes = () => {
    for (const pause of LOOKS) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        look();
      }, pause);
      timers.add(timer.unref());
    }
  };
  shared ??= listen();
  listeners.add(lookAFewTimes);
  register(directory, shared.fd);
  return {
    stop() {
      for (const timer of timers) clearTimeout(timer);
      if (!listeners.delete(lookAFewTimes) || listeners.size > 0) return;
      // The kernel drops its registrations with it.
      shared?.stop();
      shared = undefined;
    },
  };
}

/** Documentation/admin-guide/cgroup-v1/memcg_test.rst, "notification": the descriptors of an eventfd and of the file. */
function register(directory: string, fd: number): void {
  const control = openSync(`${directory}/memory.oom_control`, 'r');
  try {
    writeValue(`${directory}/cgroup.event_control`, `${fd} ${control}`);
  } finally {
    closeSync(control);
  }
}

function listen(): { fd: number; stop(): void } {
  // EFD_CLOEXEC and EFD_NONBLOCK are these (<linux/eventfd.h>).
  const fd = call(eventfd(0, O.CLOEXEC | O.NONBLOCK));
  // Never read: each new event is an edge, and only edges are waited for.
  const watched = watchReadable(fd, () => {
    for (const listener of listeners) listener();
  });
  return {
    fd,
    stop() {
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
