// The numbers of the descriptors that a monitor starts with. The container's first process inherits them and
// sets them close-on-exec before its program runs; the monitor keeps those that a later daemon will need.
export const FD = {
  /** Memory with the results of both programs, shared with the daemon. */
  data: 3,
  /** The file to which the monitor writes the wait status. */
  exit: 4,
  /** A pipe that is never written to. It ends when the container has exited and its status is written. */
  ended: 5,
  endedReader: 6,
  /**
   * A pipe on which the container's process reports that it waits (a byte), and later that it has execed (the
   * end of the pipe).
   */
  ready: 7,
  /** A pipe by which the daemon releases it: one byte per wait. */
  go: 8,
  stdin: 9,
  stdinWriter: 10,
  stdout: 11,
  stdoutReader: 12,
  stderr: 13,
  stderrReader: 14,
  /** The master end of the pty. */
  terminal: 15,
  /** A pipe on which the container's process reports that the monitor can take its root, and its terminal. */
  handOver: 16,
  handOverReader: 17,
  /** The monitor's own image, to be executed. */
  image: 18,
  /** A pidfd of the container's first process, for exec. */
  container: 19,
  /** The image of --init. */
  init: 20,
  /** The directory of the container's cgroup, with version 2. */
  cgroup: 21,
  /** A FIFO through which another process starts the program (oci-runtime/). */
  fifo: 22,
  /** The container's root directory, as its layers make it: a mount in which nothing is mounted. */
  root: 23,
} as const;

/** The first number above all of them. */
export const FD_END = 24;
