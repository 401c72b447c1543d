// Reads the command lines of a container's processes. The kernel takes them out of the process's own memory, and the
// process can keep that locked for as long as it likes (mmap(2) of a file whose FUSE server does not answer). A process of
// its own reads them, therefore, and is killed when it does not come back.

import { setTimeout as sleep } from 'node:timers/promises';
import { AT, O, SIG } from '../linux/constants.ts';
import { mayFail, resultOf } from '../linux/step.ts';
import { close, exitGroup, openat, read } from '../linux/syscalls.ts';
import { compileImage, startImage } from './image-process.ts';

/** Bytes of each command line; the rest is left out. */
const LONGEST = 4096;
/** Milliseconds for all of them. */
const PATIENCE = 1000;
/** Largest number of readers at once that were killed and have not ended: the kernel may wait for a FUSE server. */
const MOST_STUCK = 4;
let stuck = 0;

/** The words of each process's command line; [] for one that has ended, has none, or cannot be read in time. */
export async function commandLines(pids: readonly number[]): Promise<string[][]> {
  if (pids.length === 0 || stuck >= MOST_STUCK) return pids.map(() => []);
  const files = pids.map(pid => {
    const open = mayFail(openat(AT.FDCWD, `/proc/${pid}/cmdline`, O.RDONLY | O.CLOEXEC, 0));
    const words = Buffer.alloc(LONGEST);
    const got = mayFail(read(resultOf(open), words));
    return { open, words, got, close: mayFail(close(resultOf(open))) };
  });
  const reader = startImage({
    program: compileImage([...files.flatMap(({ open, got, close }) => [open, got, close]), exitGroup(0)]),
    descriptors: [],
    argv: ['mini-docker-top'],
    doing: 'cannot read the command lines of processes',
  });
  const ended = reader.process.ended();
  await Promise.race([ended, sleep(PATIENCE, undefined, { ref: false })]);
  const found = files.map(({ words, got }) => {
    const length = Math.max(reader.results.of(got), 0);
    return reader.results.buffer(words).toString('utf8', 0, length).split('\0').filter(Boolean);
  });
  reader.process.signal(SIG.KILL);
  reader.release();
  stuck++;
  void ended.finally(() => stuck--);
  return found;
}
