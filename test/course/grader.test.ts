// Submissions that do harm, and what comes of it: nothing but their own points.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gradeTask } from '../../learn/grader/grade.ts';
import type { Lab } from '../../learn/grader/lab.ts';
import { random } from '../../learn/grader/random.ts';
import { repository } from '../../learn/repository.ts';

const learn = join(repository, 'bin/learn');
const chapter = '00-machine';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'grader-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A submission whose program is this code. */
function submission(name: string, code: string): string {
  const directory = join(folder, name, chapter);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'same.ts'), code);
  return directory;
}

/** For what never ends: two seconds. */
const SHORT = 0.2;

/** Runs it once, for at most ten seconds times `patience`. */
function gradeOnce(directory: string, check: (lab: Lab) => Promise<void>, patience = 3) {
  const task = { id: 'once', title: 'once', points: 1, file: 'same.ts', timeLimit: 110_000, check };
  return gradeTask(task, { chapter, directory, seed: '1', patience });
}

describe('a submission that', () => {
  test('hangs fails when its time is over', async () => {
    const directory = submission('hangs', 'setInterval(() => {}, 1000);');
    const result = await gradeOnce(directory, async lab => void (await lab.run([])), SHORT);
    expect(result.broken?.check).toBe('ends-in-time');
    expect(result.milliseconds).toBeLessThan(7000);
  });

  test('starts processes without end is ended, and the machine can start its own meanwhile', async () => {
    const code = `import { spawn } from 'node:child_process';
      for (;;) spawn('sh', ['-c', 'f() { f & f; }; f # ${process.pid}'], { stdio: 'ignore', detached: true }).on('error', () => {});`;
    const grading = gradeOnce(submission('forks', code), async lab => void (await lab.run([])), SHORT);
    await sleep(1000);
    expect(spawnSync('true').status).toBe(0);
    expect((await grading).outcome).toBe('failed');
    expect(spawnSync('pgrep', ['-f', `^sh -c f.. . f & f; .; f # ${process.pid}$`]).status).toBe(1);
  }, 40_000);

  test('removes files removes its own view of them', async () => {
    const code = `import { rmSync } from 'node:fs';
      for (const path of ['/usr', '/etc', '${repository}', '${folder}']) {
        try { rmSync(path, { recursive: true, force: true }); } catch {}
      }`;
    const directory = submission('removes', code);
    await gradeOnce(directory, async lab => void (await lab.run([])), 1);
    for (const path of [
      '/usr/bin',
      '/etc/passwd',
      join(repository, 'package.json'),
      join(directory, 'same.ts'),
    ]) {
      expect(existsSync(path), path).toBe(true);
    }
  });

  test('fills the memory is killed', async context => {
    const code = 'const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1));';
    const fills = async (lab: Lab): Promise<void> => {
      if (lab.sandbox.group('memory') === undefined) return context.skip('no control group limits it');
      const { code: status } = await lab.run([]);
      lab.promise('killed', status === 0, { promised: '', seen: String(status), look: '' });
    };
    const result = await gradeOnce(submission('fills', code), fills, 10);
    expect(result.broken?.seen).toBe('137');
  }, 120_000);

  test('writes without end is not read without end', async () => {
    const code = "for (;;) process.stdout.write('x'.repeat(1 << 16));";
    const result = await gradeOnce(submission('writes', code), async lab => void (await lab.run([])), SHORT);
    expect(result.outcome).toBe('failed');
  });

  test('prints control characters and floods of them does not reach the terminal of its teacher', async () => {
    const code = "process.stderr.write('\\x1b[2J' + 'x'.repeat(1 << 20)); process.stdout.write('\\x9b2J');";
    const { broken } = await gradeOnce(submission('floods', code), async lab => {
      const { stdout } = await lab.run([]);
      lab.promise('quiet', false, { promised: '', seen: stdout, look: '' });
    });
    expect(`${broken!.said}${broken!.seen}`).toMatch(/^\\x1b\[2Jx+…\n\(exit code 0\)\\x9b2J$/);
    expect(broken!.said!.length).toBeLessThan(400);
  });

  test('starts processes without end is told so', { tags: 'further' }, async () => {
    const code =
      "import { spawn } from 'node:child_process'; for (let n = 0; n < 100; n++) spawn('sleep', ['60']);";
    const { broken } = await gradeOnce(submission('many', code), async lab => void (await lab.run([])), 1);
    expect(broken).toMatchObject({
      check: 'ends-in-time',
      look: expect.stringContaining('starts processes'),
    });
  });

  test.each([
    [
      'kin',
      "import 'node:fs';\nconst box = 1;\nconsole.log(kin + box);",
      'ReferenceError: kin is not defined (same.ts:3)\n(exit code 1)',
    ],
    [
      'syntax',
      'const box = 1;\nlet place = ;',
      'Expression expected (same.ts:2)\nconst box = 1;\nlet place = ;\n            ^\n',
    ],
    [
      'import',
      "import { nonesuch } from '#linux';\n",
      "does not provide an export named 'nonesuch' (same.ts:1)",
    ],
    [
      'cause',
      "try { null.x } catch (cause) { throw new Error('outer', { cause }) }",
      'Error: outer (same.ts:1)',
    ],
  ])('makes a mistake (%s) is shown its first error and the place', async (name, code, expected) => {
    const { broken } = await gradeOnce(submission(`mistake-${name}`, code), async lab => {
      await lab.run([]);
      lab.promise('works', false, { promised: '', seen: '', look: '' });
    });
    expect(broken!.said).toContain(expected);
  });
});

describe('learn grade', () => {
  const grade = (...args: string[]) => spawnSync(learn, ['grade', ...args], { encoding: 'utf8' });
  beforeAll(() => {
    cpSync(join(repository, 'solutions', chapter), join(folder, 'ann', chapter), { recursive: true });
    cpSync(join(repository, 'exercises', chapter), join(folder, 'bob', chapter), { recursive: true });
  });

  test('gives each submission its points, in JSON', () => {
    const { stdout, status } = grade('--json', '--seed', '7', join(folder, 'ann'), join(folder, 'bob'));
    const { seed, submissions } = JSON.parse(stdout);
    expect(seed).toBe('7');
    expect(submissions).toMatchObject([
      { name: 'ann', points: 5, of: 5 },
      {
        name: 'bob',
        points: 0,
        of: 5,
        chapters: [{ slug: chapter, tasks: [{ id: 'same', outcome: 'failed' }, {}] }],
      },
    ]);
    expect(status).toBe(1);
  });

  test('tells CI servers and Gradescope', () => {
    const junit = grade('--junit', join(folder, 'bob'));
    const tally = 'tests="2" failures="2" errors="0" skipped="0" time="';
    expect(junit.stdout).toContain(`<testsuites ${tally}`);
    expect(junit.stdout).toContain(`<testsuite name="bob/${chapter}" ${tally}`);
    expect(junit.stdout).toContain('<failure type="tells-shared" message="it printed');
    const gradescope = grade('--gradescope', join(folder, 'ann'));
    expect(JSON.parse(gradescope.stdout)).toMatchObject({
      score: 5,
      tests: [{ score: 2, max_score: 2, status: 'passed' }, {}],
    });
    expect(gradescope.status).toBe(0);
  });

  test('counts chapters that are asked for and not handed in as zero, in every format', {
    tags: 'further',
  }, () => {
    const asked = ['-c', '0', '-c', '1', join(folder, 'ann')];
    const missing = `there is no folder 01-process`;
    expect(JSON.parse(grade('--json', ...asked).stdout).submissions).toMatchObject([{ points: 5, of: 10 }]);
    expect(grade(...asked).stdout).toContain('ann: 5 of 10 points');
    expect(
      grade('--junit', ...asked).stdout.match(/<failure type="handed-in" message="there is no folder/g),
    ).toHaveLength(2);
    const { score, tests } = JSON.parse(grade('--gradescope', ...asked).stdout);
    expect(score).toBe(5);
    expect(tests.map((each: { max_score: number }) => each.max_score)).toEqual([2, 3, 2, 3]);
    expect(tests[2]).toMatchObject({ score: 0, status: 'failed', output: expect.stringContaining(missing) });
  });

  test('grades every submission in all chapters that occur in any of them', { tags: 'further' }, () => {
    cpSync(join(repository, 'solutions/01-process'), join(folder, 'carl', '01-process'), { recursive: true });
    const { submissions } = JSON.parse(grade('--json', join(folder, 'ann'), join(folder, 'carl')).stdout);
    expect(submissions).toMatchObject([
      { points: 5, of: 10 },
      { points: 5, of: 10 },
    ]);
  });

  test('goes on after a folder that is not there, and tells two of the same name apart', {
    tags: 'further',
  }, () => {
    cpSync(join(folder, 'ann'), join(folder, 'other/ann'), { recursive: true });
    const names = ['ann', 'nobody', 'other/ann'].map(name => join(folder, name));
    const { stdout, stderr, status } = grade('--json', ...names);
    expect(JSON.parse(stdout).submissions).toMatchObject([
      { name: names[0], points: 5 },
      { name: 'nobody', points: 0, of: 5 },
      { name: names[2], points: 5 },
    ]);
    expect(stderr).toBe(`learn: ${names[1]}: there is no such folder\n`);
    expect(status).toBe(1);
  });

  test('says in one line what is wrong with its arguments', () => {
    expect(grade('/does/not/exist').stderr).toBe('learn: /does/not/exist: there is no such folder\n');
    expect(grade(folder).stderr.replaceAll(/\s+/g, ' ')).toContain('named like a chapter');
  });
});

test('a seed brings back its names and values, and another one others', () => {
  const draw = (seed: string) => {
    const { word, integer } = random(seed);
    return [word(), integer(1, 1e9), word()];
  };
  expect(draw('a')).toEqual(draw('a'));
  expect(draw('a')).not.toEqual(draw('b'));
});
