// `learn capstone`, `learn grade --capstone` and `learn certificate`, as learners and teachers call them.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stages } from '../../learn/capstone/stages.ts';
import { repository } from '../../learn/repository.ts';

const PATIENCE = 90_000;
const all = await stages();
let work: string;

beforeAll(() => {
  // Inside the course, or imports would not find it.
  mkdirSync(join(repository, '.cache'), { recursive: true });
  work = mkdtempSync(join(repository, '.cache/capstone-'));
});
afterAll(() => rmSync(work, { recursive: true }));

function learn(...args: string[]) {
  const env = { ...process.env, LEARN_WORK: work, NO_COLOR: '1' };
  return spawnSync(join(repository, 'bin/learn'), args, { encoding: 'utf8', env });
}

const folder = (name: string): string => join(work, name);

function engine(name: string, script: string): string {
  mkdirSync(folder(name));
  writeFileSync(join(folder(name), 'my-docker'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder(name);
}

describe('learn capstone', () => {
  test(
    'init makes a folder, check passes stage 1, and the map shows it',
    () => {
      expect(learn('capstone').stdout).toContain('learn capstone init');
      expect(learn('capstone', 'init', '--language', 'sh').status).toBe(0);
      expect(existsSync(join(folder('capstone'), 'README.md'))).toBe(true);
      const checked = learn('capstone', 'check', '--stage', '1');
      expect(checked.stdout).toContain('✓ 1: A command and its exit code');
      expect(checked.status).toBe(0);
      const failed = learn('capstone', 'check', '--stage', 'root');
      expect(failed.stdout).toMatch(/✗ 3: .*\n\s+promised: .*[\s\S]*seen: .*[\s\S]*look at: /);
      expect(failed.status).toBe(1);
      expect(learn('capstone').stdout).toMatch(/✓ {2}1 .*\n {2}▸ {2}2 /);
    },
    PATIENCE,
  );

  test('init leaves a folder alone that is not empty, and names the languages there are', () => {
    const again = learn('capstone', 'init', '-l', 'sh');
    expect(again.stderr).toMatch(/is\s+not\s+empty/);
    expect(learn('capstone', 'init', folder('other'), '-l', 'cobol').stderr).toMatch(/c, go, js, python/);
    expect(existsSync(folder('other'))).toBe(false);
  });

  test('read shows a page without its hints; hint shows one after the other', () => {
    const page = learn('capstone', 'read', '4').stdout;
    expect(page).toContain('Process 1');
    expect(page).not.toContain('CLONE_NEWPID) does not move');
    const shown = [1, 2, 3].map(() => learn('capstone', 'hint', '--stage', '4').stdout);
    expect(shown.map(text => /hint (\d) of 3/.exec(text)?.[1])).toEqual(['1', '2', '3']);
    expect(shown[0]).not.toBe(shown[1]);
  });

  test('a program that does not compile is reported with the words of make', () => {
    mkdirSync(folder('broken'));
    writeFileSync(join(folder('broken'), 'Makefile'), 'my-docker:\n\techo no such header >&2; exit 1\n');
    const { stderr, status } = learn('capstone', 'check', folder('broken'));
    expect(stderr).toContain('no such header');
    expect(status).toBe(1);
  });
});

describe('learn certificate', () => {
  test('comes with the last stage, and a name is only a name', () => {
    const project = engine('done', '# pivotRoot mount SYS_clone3\nexit 0');
    expect(learn('certificate', '--name', 'Ann', project).stderr).toMatch(/0 of \d+ stages/);
    const passed = Object.fromEntries(all.map(({ id }) => [id, '2026-05-02T10:00:00.000Z']));
    const progress = { passed, skipped: {}, hints: {}, begun: '2026-04-01T10:00:00.000Z', checks: 7 };
    writeFileSync(join(project, '.capstone.json'), JSON.stringify(progress));
    const { stdout, status } = learn('certificate', '--name', 'Ann <b>\x1b[2J & Co', project);
    expect(status).toBe(0);
    expect(stdout).toContain(`${all.length} of ${all.length} stages`);
    expect(stdout).toContain('From 2026-04-01 to 2026-05-02.');
    expect(stdout).not.toContain('\x1b[2J');
    const svg = readFileSync(join(project, 'certificate.svg'), 'utf8');
    expect(svg).toContain('Ann &lt;b&gt;');
    expect(svg).toContain('3 system calls');
    expect(svg.match(/&(?!amp;|lt;|gt;|quot;)/g), 'XML').toBeNull();
    const markdown = readFileSync(join(project, 'certificate.md'), 'utf8');
    expect(markdown).toContain('`clone3`, `mount`, `pivot_root`');
    expect(markdown).toContain('Ann \\<b\\>');
  });
});

test('when the last stage passes, the last page shows what was built', () => {
  const project = engine('last', '# pivotRoot\nshift 2\nexec "$@"');
  const passed = Object.fromEntries(all.slice(1).map(({ id }) => [id, '2026-05-02T10:00:00.000Z']));
  writeFileSync(join(project, '.capstone.json'), JSON.stringify({ passed, checks: 4 }));
  const { stdout } = learn('capstone', 'check', '--stage', '1', project);
  expect(stdout).toContain(`${all.length} stages of ${all.length} passed, 5 checks`);
  expect(stdout).toContain('pivot_root');
  expect(stdout).toMatch(/learn certificate[\s\S]*learn tour[\s\S]*good first changes/);
  const again = learn('capstone', 'check', '--stage', '1', project).stdout;
  expect(again).not.toContain('learn tour');
});

describe('learn grade --capstone', () => {
  interface Report {
    submissions: {
      name: string;
      points: number;
      chapters: { tasks: { id: string; outcome: string; broken?: { check: string } }[] }[];
    }[];
  }

  test(
    'grades folders of all kinds, builds in a sandbox, and gives nothing for another engine',
    () => {
      const secret = folder('secret');
      const honest = engine('honest', 'shift 2; exec "$@"');
      engine(
        'parrot',
        'for engine in podman docker runc dockerd; do $engine "$@" && exit; done; echo "$*"; kill -9 -1',
      );
      mkdirSync(join(folder('built'), 'capstone'), { recursive: true });
      writeFileSync(
        join(folder('built'), 'capstone/Makefile'),
        `my-docker:\n\techo mine > ${secret}; printf '#!/bin/sh\\nshift 2\\nexec "$$@"\\n' > my-docker; chmod 755 my-docker\n`,
      );
      mkdirSync(folder('linked'));
      symlinkSync(join(honest, 'my-docker'), join(folder('linked'), 'my-docker'));
      mkdirSync(folder('stolen'));
      writeFileSync(join(folder('stolen'), 'Makefile'), 'my-docker:\n\tln -s /etc/shadow my-docker\n');
      const folders = ['honest', 'parrot', 'built', 'linked', 'stolen'].map(folder);
      const { stdout, status } = learn(
        'grade',
        '--capstone',
        '--json',
        '--stage',
        '1',
        '--stage',
        'root',
        ...folders,
      );
      expect(status).toBe(1);
      const { submissions } = JSON.parse(stdout) as Report;
      expect(submissions.map(({ name, points }) => [name, points])).toEqual([
        ['honest', 1],
        ['parrot', 0],
        ['built', 1],
        ['linked', 0],
        ['stolen', 0],
      ]);
      const broken = submissions.map(({ chapters }) => chapters[0]!.tasks[0]!.broken?.check);
      expect(broken).toEqual([undefined, 'exit-code', undefined, 'handed-in', 'builds']);
      expect(existsSync(secret), 'the Makefile wrote to this machine').toBe(false);
    },
    PATIENCE,
  );

  test('all formats have its stages', () => {
    cpSync(folder('linked'), folder('nothing'), { recursive: true });
    const report = (format: string): string => learn('grade', '--capstone', format, folder('nothing')).stdout;
    expect(report('--junit')).toContain('<testcase classname="capstone" name="01-exit-code"');
    const { tests } = JSON.parse(report('--gradescope')) as { tests: { name: string }[] };
    expect(tests).toHaveLength(all.length);
  });
});
