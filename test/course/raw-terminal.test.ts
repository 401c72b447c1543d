// The terminal of chapter 6b, at a real one: what a program in the box writes arrives byte by byte.
import { closeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { expect, test } from 'vitest';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';
import { openPty } from '../../mini-docker/linux/pty.ts';

test.skipIf(process.geteuid?.() !== 0)(
  'a line feed that the box’s terminal leaves alone reaches ours alone (wants root)',
  async () => {
    await using sandbox = await Sandbox.create();
    const { master, slave } = openPty({ rows: 24, columns: 80 });
    const script = 'stty -opost; printf "ab\\ncd\\n"; stty opost; printf "ef\\n"';
    const box = ['node', 'chapters/06b-terminal/box.ts', '--tty', 'sh', '-c', script];
    const entered = await sandbox.enter(
      ['setsid', '--ctty', '--wait', 'sh', '-c', `${box.map(word => `'${word}'`).join(' ')}; stty -a`],
      { streams: [slave, slave, slave] },
    );
    closeSync(slave);
    const screen = new ReadStream(master).setEncoding('utf8').on('error', () => {});
    let shown = '';
    screen.on('data', text => {
      shown += text;
    });
    const closed = new Promise(resolve => screen.on('close', resolve));
    await Promise.all([entered.ended, closed]);
    expect(shown).toContain('ab\ncd\nef\r\n');
    // Afterwards our terminal is as it was.
    expect(shown).toMatch(/[^-]opost[\s\S]*[^-]icanon|[^-]icanon[\s\S]*[^-]opost/);
  },
);
