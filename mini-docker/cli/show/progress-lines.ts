// Shows the progress of a pull, a push, a load or a save: on a terminal, a line per layer, rewritten in
// place; elsewhere, a line per step.

import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import { progressBar } from '../../formats/progress-bar.ts';
import { DaemonError } from '../errors.ts';

export interface ProgressTarget {
  show(text: string): void;
  /** Whether `show` writes to a terminal, where lines can be rewritten. */
  terminal: boolean;
  /** Width of the terminal. */
  columns?: number | undefined;
}

type Shown = Pick<ProgressMessage, 'id' | 'status' | 'progress' | 'progressDetail' | 'stream'>;

export function progressLines({
  show,
  terminal,
  columns = process.stdout.columns || process.stderr.columns || 80,
}: ProgressTarget): (message: Shown) => void {
  const rows = new Map<string, number>();
  const seen = new Map<string, string>();
  let height = 0;
  return ({ id, status = '', progress = '', progressDetail = {}, stream }) => {
    if (stream !== undefined) return show(stream);
    if (id === undefined && status === '') return;
    const line = `${id === undefined ? '' : `${id}: `}${status}`;
    const bar = progressBar(progressDetail, columns) || progress;
    if (!terminal) {
      // Elsewhere only a new step is printed, not its progress.
      if (id !== undefined && (bar !== '' || seen.get(id) === status)) return;
      if (id !== undefined) seen.set(id, status);
      return show(`${line}\n`);
    }
    if (id === undefined) {
      height += Math.max(1, Math.ceil(line.length / columns));
      return show(`${line}\n`);
    }
    // A wrapped line would take two rows, and the lines above would be rewritten in the wrong place.
    const text = `${line}${bar === '' ? '' : ` ${bar}`}`.slice(0, columns - 1);
    const row = rows.get(id);
    if (row === undefined) {
      rows.set(id, height);
      height += 1;
      return show(`${text}\n`);
    }
    const up = height - row;
    show(`\x1b[${up}A\x1b[2K\r${text}\x1b[${up}B\r`);
  };
}

/** Passes messages on until one reports an error. */
export async function followProgress(
  messages: AsyncIterable<ProgressMessage>,
  each: (message: ProgressMessage) => void,
): Promise<void> {
  for await (const message of messages) {
    const { error, errorDetail } = message;
    if (error !== undefined) throw new DaemonError(500, errorDetail?.message ?? error);
    each(message);
  }
}
