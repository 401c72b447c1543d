// What a terminal shows of the course's texts: wide and narrow, with and without colour, with ASCII alone, and through a pipe.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReadStream } from 'node:tty';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { laidOut } from '../../learn/markdown.ts';
import { repository } from '../../learn/repository.ts';
import { openPty } from '../../mini-docker/linux/pty.ts';

const learn = join(repository, 'bin/learn');
const texts = globSync('{chapters,exercises}/*/{README,hints}.md', { cwd: repository }).sort();
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');

/** All that a terminal of this width gets. */
async function shown(
  args: readonly string[],
  { columns, environment = {} }: { columns: number; environment?: NodeJS.ProcessEnv },
): Promise<string> {
  const { master, slave } = openPty({ rows: 24, columns });
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, TERM: 'xterm', PAGER: 'cat', ...environment };
  const child = spawn(learn, args, { stdio: [slave, slave, slave], env });
  closeSync(slave);
  let text = '';
  const screen = new ReadStream(master);
  screen.setEncoding('utf8').on('data', data => {
    text += data;
  });
  // EIO: the last process has closed the terminal.
  await new Promise<void>(done => screen.on('error', () => done()).on('close', () => done()));
  if (child.exitCode === null) await new Promise(done => child.on('exit', done));
  screen.destroy();
  return text.replaceAll('\r\n', '\n');
}

const plain = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, '');

/** Lines that are neither code nor a picture: those have a width of their own. */
function prose(text: string, file: string): string[] {
  const blocks = [...read(file).matchAll(/^```.*?\n(.*?)^```/gms)].map(match => match[1]!);
  const code = new Set(blocks.flatMap(block => block.split('\n')).map(line => line.trim()));
  /** A long line of code is continued in the next line of a narrow terminal. */
  const isPiece = (line: string) => line.length > 12 && [...code].some(each => each.includes(line));
  return plain(text)
    .split('\n')
    .filter(line => !/^ {4}/.test(line) && !code.has(line.trim()) && !isPiece(line.trim()));
}

describe.each([60, 80, 120])('on %i columns', columns => {
  test('no line of prose is wider than the screen, and no word is broken', () => {
    for (const file of texts) {
      const text = laidOut(read(file), { width: columns, unicode: true });
      const wide = prose(text, file).filter(line => stringWidth(line) > columns && line.trim().includes(' '));
      expect(wide, file).toEqual([]);
      const words = new Set(read(file).split(/[\s`*_()]+/));
      const broken = prose(text, file)
        .flatMap(line => line.split(/[\s()]+/))
        .filter(word => /^[a-z]{9,}$/.test(word) && !read(file).includes(word) && !words.has(word));
      expect(broken, file).toEqual([]);
    }
  });

  test('lists, emphasis and code are laid out, and no sign of Markdown is left', () => {
    for (const file of texts) {
      const text = laidOut(read(file), { width: columns, unicode: true });
      const left = prose(text, file).filter(line =>
        /`|\*\*|(^|\s)_[a-z]|\[[^\]]+\]\(/.test(line.replace(/`\$\{.*?`/g, '')),
      );
      expect(left, file).toEqual([]);
    }
  });

  test('`learn read` shows it in a terminal', async () => {
    const text = await shown(['read', '6'], { columns });
    expect(plain(text)).toContain('Chapter 6.');
    expect(
      prose(text, 'chapters/06-pid-1/README.md').filter(line => stringWidth(line) > Math.min(columns, 100)),
    ).toEqual([]);
  });
});

test.for([[], ['api'], ['capstone'], ['tour'], ['doctor'], ['--help'], ['nothing']])(
  'learn %s fits on 60 columns, without signs of Markdown',
  async args => {
    const lines = plain(await shown(args, { columns: 60 })).split('\n');
    expect(lines.filter(line => stringWidth(line) > 60 && line.trim().includes(' '))).toEqual([]);
    expect(lines.filter(line => line.includes('`'))).toEqual([]);
  },
);

test('tables stay tables at 60 columns', () => {
  const lines = plain(laidOut(read('chapters/06-pid-1/README.md'), { width: 60, unicode: true })).split('\n');
  const head = lines.findIndex(line => /number 1 has a handler/.test(line));
  expect(lines.slice(head, head + 7).every(line => stringWidth(line) <= 60)).toBe(true);
  expect(lines[head + 1]).toMatch(/^─+ {2}─+ {2}─+$/);
});

test('NO_COLOR and a dumb terminal get no escape sequence', async () => {
  for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    expect(await shown(['read', '6'], { columns: 80, environment })).not.toContain('\x1b');
    expect(await shown([], { columns: 80, environment })).not.toContain('\x1b');
  }
});

test('a terminal of ASCII gets pictures of ASCII', async () => {
  const text = await shown(['read', '6'], { columns: 80, environment: { LC_ALL: 'C' } });
  expect(text).not.toMatch(/[^\x00-\x7f]/);
  expect(plain(text)).toContain('+-- 3 make -- 5 cc -+');
  for (const file of texts) {
    const ascii = laidOut(read(file), { width: 80, unicode: false });
    expect(ascii, file).not.toMatch(/[^\x00-\x7f]/);
  }
  expect(await shown([], { columns: 80, environment: { LC_ALL: 'C' } })).not.toMatch(/[^\x00-\x7f]/);
});

test('a pipe gets the Markdown as it is written', () => {
  const { stdout } = spawnSync(learn, ['read', '6'], { encoding: 'utf8' });
  expect(stdout).toBe(read('chapters/06-pid-1/README.md'));
});
