// Runs a list of steps as a separate process: compiled into an ELF image in a sealed memfd and executed from
// there, so that it neither shares our memory nor dies with us. Its data is shared with us, and holds the
// results.
import { closeSync, openSync } from 'node:fs';
import { spawnChild } from '../linux/child.ts';
import { AT, CLOSE_RANGE, F } from '../linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../linux/elf.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { Mapping } from '../linux/mapping.ts';
import { sealedExecutable, sharedMemory } from '../linux/memfd.ts';
import { compile, type Item, type Program } from '../linux/program.ts';
import { Results } from '../linux/results.ts';
import { hostArchitecture, resultOf } from '../linux/step.ts';
import { chdir, close, closeRange, dup3, execveat, fcntl } from '../linux/syscalls.ts';
import { FD, FD_END } from './descriptors.ts';

export interface ImageProcess {
  pid: number;
  /** The process; the caller closes it. */
  process: HeldProcess;
  results: Results;
  /** Releases the shared memory; results read so far stay readable. Idempotent. */
  release(): void;
}

/** Above every number in FD. */
const HIGH = 256;
const ALL_DESCRIPTORS = 0xffff_ffff;

/** @param trace as for compile() */
export function compileImage(items: readonly Item[], trace = false): Program {
  const architecture = hostArchitecture();
  return compile(items, { architecture, dataAddress: ELF_DATA_ADDRESS, dataFd: FD.data, trace });
}

/**
 * @param options.program compiled by compileImage()
 * @param options.descriptors the process's descriptors and their numbers; the caller keeps its own.
 * @param options.standard 0, 1 and 2: ours, or /dev/null
 * @param options.argv its name in a list of processes
 * @param options.doing the beginning of an error message
 * @throws SyscallError when it cannot be started; nothing is left then
 */
export function startImage(options: {
  program: Program;
  descriptors: readonly [fd: number, number: number][];
  argv: string[];
  doing: string;
  standard?: 'ours' | 'null';
}): ImageProcess {
  const { program, descriptors, argv, doing, standard: use = 'null' } = options;

  using lent = new DisposableStack();
  using kept = new DisposableStack();
  const lend = (fd: number): number => lent.adopt(fd, closeSync);
  const data = lend(sharedMemory('mini-docker-data', program.data.length));
  const mapping = kept.use(new Mapping(program.data.length, data));
  mapping.bytes.set(program.data);
  const image = lend(
    sealedExecutable(argv[0]!, encodeElf({ architecture: hostArchitecture(), code: program.code })),
  );
  const nothing = use === 'null' ? lend(openSync('/dev/null', 'r+')) : undefined;
  const standard = [0, 1, 2].map((number): [number, number] => [nothing ?? number, number]);

  const all = [...standard, ...descriptors, [data, FD.data] satisfies [number, number]];
  const { pid, pidfd } = spawnChild(launch({ descriptors: all, image, argv }), {
    lent: [...all.map(([fd]) => fd), image],
    doing,
  });
  kept.move();
  const results = new Results(program, mapping.bytes);
  let released = false;
  return {
    pid,
    process: new HeldProcess(pidfd),
    results,
    release() {
      if (released) return;
      released = true;
      results.detach();
      mapping.close();
    },
  };
}

/**
 * Moves each descriptor to its number and executes the image. Signals stay blocked until the program unblocks
 * them.
 */
function launch(options: {
  descriptors: readonly [fd: number, number: number][];
  image: number;
  argv: string[];
}): Item[] {
  const { descriptors, image, argv } = options;
  // All move up first, since one's number may still be occupied by another.
  const end = Math.max(FD_END, ...descriptors.map(([, number]) => number + 1));
  const raised = descriptors.map(([fd, number]) => ({ copy: fcntl(fd, F.DUPFD_CLOEXEC, HIGH), number }));
  return [
    chdir('/'),
    ...raised.map(({ copy }) => copy),
    ...raised.flatMap(({ copy, number }) => [dup3(resultOf(copy), number, 0), close(resultOf(copy))]),
    closeRange(end, ALL_DESCRIPTORS, CLOSE_RANGE.CLOEXEC),
    execveat(image, '', argv, [], AT.EMPTY_PATH),
  ];
}
