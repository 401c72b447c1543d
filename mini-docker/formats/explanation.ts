// The system calls that start a container, decoded for people: what `run --explain` and `run --trace` print.

export interface ExplainedStep {
  /** A heading that several steps share: 'root filesystem'. */
  group: string;
  /** Its place in the program, which ‹result of 3› refers to; what the daemon does has none. */
  number?: number;
  /** The purpose of the whole group, in one line. */
  purpose?: string;
  /** The call as strace would write it: 'mount("proc", "/proc", "proc", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)'. */
  call: string;
  reason: string;
  /** The process that makes the call. */
  by: 'daemon' | 'monitor' | 'container';
  /** Result of the call in a traced start. */
  result?: number;
  /** 'ENOENT', when it failed. */
  error?: string;
  microseconds?: number;
}
