// Long texts, one screenful at a time where a person can turn the page.

import { spawnSync } from 'node:child_process';
import { write } from './output.ts';

/** As git does: $PAGER, else less, which ends by itself when all fits on one screen. */
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
