// The command as a learner uses it, with a work folder of its own.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chapters } from '../../learn/course.ts';
import { hintsOf } from '../../learn/hints.ts';
import { repository } from '../../learn/repository.ts';
import { learn as learnIn } from './learn-command.ts';

let work: string;

beforeEach(() => {
  // Inside the course, or imports would not find it.
  mkdirSync(join(repository, '.cache'), { recursive: true });
  work = mkdtempSync(join(repository, '.cache/work-'));
});
afterEach(() => rmSync(work, { recursive: true }));

const learn = (...args: string[]) => learnIn(work, ...args);

const solve = (slug: string): void =>
  cpSync(join(repository, 'solutions', slug), join(work, slug), { recursive: true });

describe('learn', () => {
  test('shows all chapters, what is done, and what comes next', () => {
    const first = learn().stdout;
    for (const { title } of chapters()) expect(first).toContain(title);
    expect(first).toContain('Next: learn read 0');
    learn('start', '0');
    solve('00-machine');
    learn('check', '0');
    const second = learn().stdout;
    expect(second).toMatch(/✓ +0 .*5\/5/);
    expect(second).toContain('Next: learn read 1');
  });

  test('read prints plain Markdown if there is no terminal', () => {
    expect(learn('read', '2').stdout).toBe(
      readFileSync(join(repository, 'chapters/02-pid-namespace/README.md'), 'utf8'),
    );
    expect(learn('read', '--exercise', 'pid-namespace').stdout).toContain('# Exercise 2');
  });

  test('run runs a chapter in a sandbox and passes options on', () => {
    const { stdout, status } = learn('run', '2', 'sh', '-c', 'echo $$; exit 3');
    expect({ stdout, status }).toEqual({ stdout: '1\n', status: 3 });
    expect(learn('run', '3', '--hostname', 'web', 'hostname').stdout).toBe('web\n');
    expect(learn('run', '3', '--', '--hostname', 'web', 'hostname').stdout).toBe('web\n');
  });

  test('diff shows what changed', () => {
    const { stdout } = learn('diff', '2');
    expect(stdout).toContain('new module: chapters/02-pid-namespace/own-proc.ts');
    expect(stdout).toMatch(/^\+.*CLONE\.NEWPID/m);
  });

  test('start never writes over work, reset sets it aside', () => {
    learn('start', '1');
    const file = join(work, '01-process/redirect.ts');
    appendFileSync(file, '// mine\n');
    const again = learn('start', '1', '--from-solution');
    expect(again.stdout).toContain('redirect.ts: is there already, left as it is');
    expect(again.stdout).toContain('pid-file.ts: solved');
    expect(readFileSync(file, 'utf8')).toMatch(/\/\/ mine\n$/);
    learn('reset', '1');
    expect(readFileSync(file, 'utf8')).not.toContain('// mine');
    const aside = readdirSync(work).find(name => name.startsWith('01-process.'))!;
    expect(readFileSync(join(work, aside, 'redirect.ts'), 'utf8')).toContain('// mine');
  });

  test('check says what was promised, what was seen, and where to look; without a number for the last chapter', () => {
    learn('start', '2');
    const { stdout, status } = learn('check', '--task', 'number-1');
    expect(status).toBe(1);
    for (const word of ['✗ number-1', 'promised:', 'seen:', 'look at:', 'learn hint 2'])
      expect(stdout).toContain(word);
    solve('02-pid-namespace');
    expect(learn('check')).toMatchObject({ status: 0 });
  });

  test('hint gives one more each time, solution waits until it has passed', () => {
    learn('start', '1');
    expect(learn('hint').stdout).toContain('redirect: hint 1 of 3');
    expect(learn('hint', '1').stdout).toContain('redirect: hint 2 of 3');
    expect(learn('hint', '1', 'pid-file').stdout).toContain('pid-file: hint 1 of 3');
    expect(learn('solution', '1')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('did not pass yet'),
    });
    expect(learn('solution', '1', '--force').stdout).toContain('dup3(resultOf(output), 1, 0)');
  });

  test('doctor looks at everything and proves that a sandbox works', () => {
    const { stdout, status } = learn('doctor');
    expect(status).toBe(0);
    const subjects = ['kernel', 'node', 'namespaces', 'overlay', 'control groups', 'exercises', 'a sandbox'];
    for (const subject of subjects) {
      expect(stdout).toContain(subject);
    }
  });

  test.each([
    [['read', '99'], `there is no chapter 99: chapters are numbered 0 to ${chapters().at(-1)!.number}`],
    [['foo'], 'there is no command foo; there are read, run, shell'],
    [['solution', '--force'], 'name a chapter'],
    [['check', '3'], "'learn start 3'"],
    [['check'], 'name a chapter'],
    [['hint', '1', 'nonsense'], 'redirect, pid-file'],
    [['grade', '--json', '--junit', '.'], 'one of --json'],
  ])('%j: a mistake is told in a line or two, without a stack', (args, text) => {
    const { stderr, status } = learn(...args);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(text);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(1);
  });

  test('files made under sudo belong to the user who called sudo', context => {
    if (process.geteuid?.() !== 0) context.skip('wants root');
    process.env.SUDO_UID = process.env.SUDO_GID = '1234';
    try {
      learn('start', '0');
    } finally {
      delete process.env.SUDO_UID;
      delete process.env.SUDO_GID;
    }
    const owners = spawnSync(
      'stat',
      ['-c', '%u', join(work, '00-machine'), join(work, '00-machine/same.ts')],
      { encoding: 'utf8' },
    );
    expect(owners.stdout).toBe('1234\n1234\n');
    expect(existsSync(join(work, '.learn.json'))).toBe(true);
  });
});

test('hints are found under the names of their tasks', () => {
  const hints = hintsOf('# Hints\n\n## one\n\n### 1\n\nlook\n\n### 2\n\ncloser\n\n## two\n\n### 1\n\nhere\n');
  expect([...hints]).toEqual([
    ['one', ['look', 'closer']],
    ['two', ['here']],
  ]);
});
