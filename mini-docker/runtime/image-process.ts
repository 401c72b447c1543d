// Runs a list of steps as a separate process: compiled into an ELF image in a sealed memfd and executed from
// there, so that it neither shares our memory nor dies with us. Its data is shared with us, and holds the
// results.
import { closeSync, openSync } from 'node:fs';
import { Latest } from '../formats/latest.ts';
import { Launch } from '../linux/child.ts';
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
  const image = imageOf(program.code, argv[0]!, lend);
  const nothing = use === 'null' ? lend(openSync('/dev/null', 'r+')) : undefined;
  const standard = [0, 1, 2].map((number): [number, number] => [nothing ?? number, number]);

  const all = [...standard, ...descriptors, [data, FD.data] satisfies [number, number]];
  const { pid, pidfd } = launch({ descriptors: all, image, argv, doing });
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

/** The number of images, and of launches, that are kept for the next start. */
const KEPT = 8;

/** Images of code that has been started before. */
const images = new Latest<Buffer, number>(KEPT, closeSync);
const startedBefore = new WeakSet<Buffer>();

/** @param lend receives an image that is not kept */
function imageOf(code: Buffer, name: string, lend: (fd: number) => number): number {
  const make = () => sealedExecutable(name, encodeElf({ architecture: hostArchitecture(), code }));
  // Its number stays low, since each child copies the descriptors up to it (Launch).
  if (startedBefore.has(code)) return images.get(code, make);
  startedBefore.add(code);
  return lend(make());
}

interface LaunchOptions {
  descriptors: readonly [fd: number, number: number][];
  image: number;
  argv: string[];
}

/** Launches by what they do. Most differ in the id of a container alone: a daemon's next descriptors have the same numbers. */
const launches = new Latest<string, { launch: Launch; id: string }>(KEPT, ({ launch }) =>
  launch[Symbol.dispose](),
);

function launch({ doing, ...options }: LaunchOptions & { doing: string }) {
  const { descriptors, image, argv } = options;
  const id = argv.find(word => /^[0-9a-f]{64}$/.test(word)) ?? '';
  const kind = JSON.stringify([descriptors, image, argv.map(word => (word === id ? null : word))]);
  const found = launches.get(kind, () => {
    const lent = [...descriptors.map(([fd]) => fd), image];
    return { launch: new Launch(launchItems(options), lent), id };
  });
  return found.launch.start({ doing, names: found.id === id ? [] : [[found.id, id]] });
}

/**
 * Moves each descriptor to its number and executes the image. Signals stay blocked until the program unblocks
 * them.
 */
function launchItems({ descriptors, image, argv }: LaunchOptions): Item[] {
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
