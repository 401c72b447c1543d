// Submissions that do harm, and what comes of it: nothing but their own points.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Runs it once, for at most two seconds. */
function gradeOnce(directory: string, check: (lab: Lab) => Promise<void>) {
  const task = { id: 'once', title: 'once', points: 1, file: 'same.ts', timeLimit: 8000, check };
  return gradeTask(task, { chapter, directory, seed: '1', timeout: 2000 });
}

describe('a submission that', () => {
  test('hangs fails when its time is over', async () => {
    const directory = submission('hangs', 'setInterval(() => {}, 1000);');
    const result = await gradeOnce(directory, async lab => void (await lab.run([])));
    expect(result.broken?.check).toBe('ends-in-time');
    expect(result.milliseconds).toBeLessThan(7000);
  });

  test('starts processes without end is ended, and the machine can start its own meanwhile', async () => {
    const code = `import { spawn } from 'node:child_process';
      for (;;) spawn('sh', ['-c', 'f() { f & f; }; f'], { stdio: 'ignore', detached: true }).on('error', () => {});`;
    const grading = gradeOnce(submission('forks', code), async lab => void (await lab.run([])));
    await new Promise(done => setTimeout(done, 1000));
    expect(spawnSync('true').status).toBe(0);
    expect((await grading).outcome).toBe('failed');
    expect(spawnSync('pgrep', ['-f', '^sh -c f.. . f & f; .; f$']).status).toBe(1);
  }, 40_000);

  test('removes files removes its own view of them', async () => {
    const code = `import { rmSync } from 'node:fs';
      for (const path of ['/usr', '/etc', '${repository}', '${folder}']) {
        try { rmSync(path, { recursive: true, force: true }); } catch {}
      }`;
    const directory = submission('removes', code);
    await gradeOnce(directory, async lab => void (await lab.run([], { timeout: 8000 })));
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
    const result = await gradeOnce(submission('fills', code), async lab => {
      if (lab.sandbox.group('memory') === undefined) return context.skip('no control group limits it');
      const { code: status } = await lab.run([], { timeout: 8000 });
      lab.promise('killed', status === 0, { promised: '', seen: String(status), look: '' });
    });
    expect(result.broken?.seen).toBe('137');
  });

  test('writes without end is not read without end', async () => {
    const code = "for (;;) process.stdout.write('x'.repeat(1 << 16));";
    const result = await gradeOnce(submission('writes', code), async lab => void (await lab.run([])));
    expect(result.outcome).toBe('failed');
  });

  test('looks for solutions, tests and other submissions finds none', async () => {
    const code = `import { existsSync, readdirSync } from 'node:fs';
      console.log(readdirSync('${repository}/solutions').length, readdirSync('${repository}/test').length, existsSync('${folder}'));`;
    await gradeOnce(submission('looks', code), async lab => {
      expect((await lab.run([])).stdout).toBe('0 0 false\n');
    });
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
    expect(junit.stdout).toContain(`<testsuite name="bob/${chapter}" tests="2" failures="2" skipped="0">`);
    const gradescope = grade('--gradescope', join(folder, 'ann'));
    expect(JSON.parse(gradescope.stdout)).toMatchObject({
      score: 5,
      tests: [{ score: 2, max_score: 2, status: 'passed' }, {}],
    });
    expect(gradescope.status).toBe(0);
  });

  test('says in one line what is wrong with its arguments', () => {
    expect(grade('/does/not/exist').stderr).toBe('learn: /does/not/exist: there is no such folder\n');
    expect(grade(folder).stderr).toContain('named like a chapter');
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
