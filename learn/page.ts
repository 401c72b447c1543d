// Shows text one screenful at a time, if stdout is a terminal.
import { spawnSync } from 'node:child_process';

export function page(text: string): void {
  const ended = text.endsWith('\n') ? text : `${text}\n`;
  const fits = text.split('\n').length < (process.stdout.rows || 24);
  // A pager needs to move the cursor, which a dumb terminal cannot do.
  if (!process.stdout.isTTY || fits || process.env.TERM === 'dumb') {
    process.stdout.write(ended);
    return;
  }
  const [pager = 'less', ...args] = (process.env.PAGER || 'less -R -X -F').split(' ');
  const { error } = spawnSync(pager, args, { input: ended, stdio: ['pipe', 'inherit', 'inherit'] });
  if (error !== undefined) process.stdout.write(ended);
}
