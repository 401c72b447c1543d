// The descriptors that a monitor is started with, by number. The container's first process inherits them and sets them
// close-on-exec before its program runs; the monitor keeps those that a later daemon will ask for.
export const FD = {
  /** The results of both programs, shared with the daemon. */
  data: 3,
  /** The file that the monitor writes the wait status to. */
  exit: 4,
  /** A pipe that ends when the container has ended and its status is written, and that nothing is ever written to. */
  ended: 5,
  endedReader: 6,
  /** The container's process says that it waits (a byte), and later that it has execed (the end of the pipe). */
  ready: 7,
  /** The daemon lets it go on, a byte for each wait. */
  go: 8,
  stdin: 9,
  stdinWriter: 10,
  stdout: 11,
  stdoutReader: 12,
  stderr: 13,
  stderrReader: 14,
  /** The pty's master. */
  terminal: 15,
  /** The container's process says that its terminal is there for the monitor to take. */
  terminalReady: 16,
  terminalReadyReader: 17,
  /** The monitor's own image, to be executed. */
  image: 18,
  /** For exec: a pidfd of the container's first process. */
  container: 19,
  /** The image of --init. */
  init: 20,
  /** The directory of the container's cgroup, with version 2. */
  cgroup: 21,
} as const;

/** The first number that none of them has. */
export const FD_END = 22;
