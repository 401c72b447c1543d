// Errors in runc's form: callers parse the log file, and people read the standard error output.
import { appendFileSync, writeSync } from 'node:fs';

export interface LogOptions {
  /** A file; without one the log is the standard error output. */
  log?: string | undefined;
  format: 'text' | 'json';
}

export function logError({ log, format }: LogOptions, message: string): void {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  const line =
    format === 'json'
      ? JSON.stringify({ level: 'error', msg: message, time })
      : `time="${time}" level=error msg=${JSON.stringify(message)}`;
  if (log !== undefined) {
    appendFileSync(log, `${line}\n`, { mode: 0o600 });
    say(message);
  } else say(line);
}

function say(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // A caller may have closed it; the exit code still tells.
  }
}
