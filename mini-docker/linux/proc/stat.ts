// /proc/PID/stat: one line of numbers about a process. proc_pid_stat(5)
import { type Pid, readProcFile } from './file.ts';

/** Seconds of one clock tick, the unit of times in /proc: USER_HZ is 100 on x86-64 and arm64. */
export const CLOCK_TICK = 1 / 100;

export interface Stat {
  readonly pid: number;
  /** Name of at most 15 bytes, chosen by the program: it may contain spaces, parentheses and newlines. */
  readonly comm: string;
  /** One of the letters R S D T t Z X I, as in status.ts. */
  readonly state: string;
  readonly ppid: number;
  readonly processGroup: number;
  readonly session: number;
  /** Device number of the controlling terminal, 0 for none. */
  readonly tty: number;
  /** CPU times in clock ticks. */
  readonly userTime: number;
  readonly systemTime: number;
  readonly threads: number;
  /**
   * Start time in clock ticks since boot, in the reader's time namespace. With the pid it identifies a
   * process.
   */
  readonly startTime: number;
  /** Pages of resident memory. */
  readonly residentPages: number;
}

export function decodeStat(text: string): Stat {
  // comm ends at the last parenthesis: only numbers and one letter follow.
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  if (open < 0 || close < open || fields.length < 22) throw new Error('stat: not a line of it');
  /** @param number of the field, counted from 1 as in the man page */
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: fields[0]!,
    ppid: field(4),
    processGroup: field(5),
    session: field(6),
    tty: field(7),
    userTime: field(14),
    systemTime: field(15),
    threads: field(20),
    startTime: field(22),
    residentPages: field(24),
  };
}

/** Reads /proc/PID/stat; undefined when there is no such process. */
export function readStat(pid: Pid = 'self'): Stat | undefined {
  const text = readProcFile(pid, 'stat');
  return text === undefined ? undefined : decodeStat(text);
}
