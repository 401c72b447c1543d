// Shows long texts in a pager, if the output is a terminal.

import { spawnSync } from 'node:child_process';
import { write } from './output.ts';

/** Like git: $PAGER, else less, which exits by itself if the text fits on one screen. */
export function page(text: string): void {
  const fits = text.split('\n').length < (process.stdout.rows || 24);
  if (!process.stdout.isTTY || fits || process.env.TERM === 'dumb') {
    write(text);
    return;
  }
  const [pager = 'less', ...args] = (process.env.PAGER || 'less -R -X -F').split(' ');
  const { error } = spawnSync(pager, args, { input: text, stdio: ['pipe', 'inherit', 'inherit'] });
  if (error !== undefined) write(text);
}
