// Starts a monitor: the separate process that starts the container and outlives the daemon.
import { closeSync, openSync } from 'node:fs';
import type { Process } from '../formats/oci/runtime-spec.ts';
import { sealedExecutable } from '../linux/memfd.ts';
import { pipe } from '../linux/pipes.ts';
import type { Program } from '../linux/program.ts';
import { hostArchitecture } from '../linux/step.ts';
import { FD } from './descriptors.ts';
import { type ImageProcess, startImage } from './image-process.ts';
import { initImage } from './init.ts';
import { own, type StreamDescriptors } from './streams.ts';
import { waiterImage } from './waiter.ts';

/** The daemon's ends of all channels to the monitor and the container: close-on-exec, owned by the caller. */
export interface Monitor extends ImageProcess {
  /**
   * A pipe on which the container's process reports that it waits (a byte), and that its program runs (the
   * end).
   */
  ready: number;
  go: number;
  ended: number;
  streams: StreamDescriptors;
}

export interface MonitorOptions {
  id: string;
  program: Program;
  /** The file for the wait status. */
  exitFile: string;
  /** Directory of the cgroup in which the container is created. */
  cgroup: string | undefined;
  terminal: boolean;
  stdin: boolean;
  /** The program below an init as pid 1. */
  init: Process | undefined;
  doing: string;
}

/** The waiter's image, in one memfd for all monitors. */
let waiter: number | undefined;

/** @throws SyscallError when the monitor cannot be started; nothing is left then */
export function startMonitor(options: MonitorOptions): Monitor {
  const { id, program, exitFile, cgroup, terminal, stdin, init, doing } = options;
  waiter ??= sealedExecutable('mini-docker-monitor', waiterImage(hostArchitecture()));
  using ours = new DisposableStack();
  using theirs = new DisposableStack();
  const descriptors: [fd: number, number: number][] = [
    [waiter, FD.image],
    // A placeholder until the root is there: any other file at this number would be closed when it arrives.
    [waiter, FD.root],
  ];

  /** Makes a pipe whose ends get these numbers in the monitor; the daemon keeps one end, or none. */
  const connect = (numbers: { reader?: number; writer?: number }, mine?: 'reader' | 'writer'): number => {
    const { readEnd, writeEnd } = pipe();
    if (numbers.reader !== undefined) descriptors.push([readEnd, numbers.reader]);
    if (numbers.writer !== undefined) descriptors.push([writeEnd, numbers.writer]);
    (mine === 'reader' ? ours : theirs).adopt(readEnd, closeSync);
    (mine === 'writer' ? ours : theirs).adopt(writeEnd, closeSync);
    return mine === 'writer' ? writeEnd : readEnd;
  };
  descriptors.push([theirs.adopt(openSync(exitFile, 'w', 0o600), closeSync), FD.exit]);
  if (cgroup !== undefined) descriptors.push([theirs.adopt(openSync(cgroup, 'r'), closeSync), FD.cgroup]);
  if (init !== undefined) {
    const image = sealedExecutable('docker-init', initImage(init, hostArchitecture()));
    descriptors.push([theirs.adopt(image, closeSync), FD.init]);
  }
  const ended = connect({ writer: FD.ended, reader: FD.endedReader }, 'reader');
  const ready = connect({ writer: FD.ready }, 'reader');
  const go = connect({ reader: FD.go }, 'writer');
  connect({ writer: FD.handOver, reader: FD.handOverReader });
  if (terminal) descriptors.push([waiter, FD.terminal]);
  const streams = {
    stdin: !terminal && stdin ? connect({ reader: FD.stdin, writer: FD.stdinWriter }, 'writer') : undefined,
    stdout: terminal ? undefined : connect({ writer: FD.stdout, reader: FD.stdoutReader }, 'reader'),
    stderr: terminal ? undefined : connect({ writer: FD.stderr, reader: FD.stderrReader }, 'reader'),
  };
  const started = startImage({ program, descriptors, argv: ['mini-docker-monitor', id], doing });
  ours.move();
  return { ...started, ready, go, ended, streams: own(streams) };
}
