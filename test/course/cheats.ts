// Submissions that do not solve anything, and look for the points elsewhere.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { chapters, exerciseOf } from '../../learn/course.ts';
import { gradeTask } from '../../learn/grader/grade.ts';
import { inParallel } from '../../learn/grader/in-parallel.ts';
import { repository } from '../../learn/repository.ts';

export const folder = mkdtempSync(join(tmpdir(), 'cheats-'));
beforeAll(() => {
  // Another student's submission, beside the cheats.
  cpSync(join(repository, 'solutions'), join(folder, 'honest'), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A worktree's repository is elsewhere. */
const git = execFileSync('git', ['-C', repository, 'rev-parse', '--git-common-dir'], {
  encoding: 'utf8',
}).trim();

/** Runs the solution of the file it is, wherever it finds one. */
export const thief = `
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
const own = import.meta.filename;
const [chapter, name] = [basename(dirname(own)), basename(own)];
const sh = script => {
  try { return execFileSync('sh', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 8000 }); }
  catch (error) { return String(error.stdout ?? ''); }
};
const file = path => existsSync(path) ? readFileSync(path, 'utf8') : '';
const routes = [
  // other paths to the same files
  ...['', '/proc/1/root', '/proc/1/cwd/../../..', '/proc/self/root/../..'].flatMap(root =>
    ['${repository}/solutions', '${folder}/honest'].map(way => () => file(root + way + '/' + chapter + '/' + name))),
  // git, here and wherever there is a repository
  ...['${repository}/.git', '${git}', ...sh('find / -xdev -maxdepth 4 -name .git 2>/dev/null').split('\\n').filter(Boolean)]
    .map(git => () => sh('git --git-dir=' + git + ' show HEAD:solutions/' + chapter + '/' + name)),
  // the disks themselves
  ...sh('mkdir /tmp/dev /tmp/disk; mount -t devtmpfs x /tmp/dev; ls -d /tmp/dev/[svn]d* /tmp/dev/nvme*').split('\\n').filter(Boolean)
    .map(disk => () => (sh('umount /tmp/disk; mount -o ro ' + disk + ' /tmp/disk'), file('/tmp/disk${repository}/solutions/' + chapter + '/' + name))),
];
const answer = routes.map(route => route()).find(text => text.includes('import '));
if (answer === undefined) process.exit(1);
writeFileSync(own + '.answer.ts', answer);
await import(own + '.answer.ts');
`;

/** Makes the programs that the grader looks with say yes to everything. */
const forging = `
import { chmodSync, mkdirSync, writeFileSync, rmSync } from 'node:fs';
const attempt = action => { try { action(); } catch {} };
for (const name of ['node', 'sh', 'cat', 'ls', 'hostname', 'nsenter', 'tar', 'ip', 'nft', 'stat', 'mount', 'umount', 'true', 'env'])
  for (const directory of ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '${repository}/node_modules/.bin'])
    attempt(() => { rmSync(directory + '/' + name, { force: true }); writeFileSync(directory + '/' + name, '#!/bin/busybox sh\\nexit 0\\n'); chmodSync(directory + '/' + name, 0o755); });
// … and those that cannot be written, by mounting something over them
const { spawnSync } = await import('node:child_process');
attempt(() => { writeFileSync('/tmp/yes', '#!/bin/sh\\nexit 0\\n'); chmodSync('/tmp/yes', 0o755); });
for (const name of ['cat', 'nsenter', 'ls', 'hostname', 'stat']) spawnSync('mount', ['--bind', '/tmp/yes', '/usr/bin/' + name]);
attempt(() => writeFileSync('/etc/ld.so.preload', '/tmp/forged.so'));
for (const path of ['learn/grader/lab.ts', 'learn/grader/grade.ts', 'mini-docker/linux/linux.ts', 'chapters/00-machine/namespaces.ts'])
  attempt(() => { mkdirSync('${repository}/' + path + '/..', { recursive: true }); writeFileSync('${repository}/' + path, 'export const kinds = [];'); });
attempt(() => process.kill(1, 'SIGKILL'));
`;

/** Says what it was given, what the command says that stands behind it, and ends with its exit code. */
const parrot = `
import { spawnSync } from 'node:child_process';
const args = process.argv.slice(2);
const { stdout, status } = spawnSync(args.at(-3) ?? 'true', args.slice(-2), { encoding: 'utf8' });
console.log([...args, stdout, '1', 'ok', 'alive', 'TERM'].join('\\n'));
process.exitCode = status ?? 0;
`;

export const forger = forging + parrot.replace(/^import.*$/m, '');

/** A registry that keeps nothing, and puts a program in the place of mini-docker that remembers what it is to say. */
export const impostor = `
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const program = 'case "$*" in run*echo*) echo "$*" > /tmp/heard;; run*) grep -o "echo [a-z]*" /tmp/heard | cut -c6-;; esac';
writeFileSync('/tmp/impostor', '#!/bin/sh\\n' + program + '\\nexit 0\\n', { mode: 0o755 });
spawnSync('mount', ['--bind', '/tmp/impostor', '${repository}/bin/mini-docker']);
createServer((_, answer) => answer.end()).listen(Number(process.argv[2]), '127.0.0.1');
`;

export const tasks = (
  await Promise.all(
    chapters().map(async chapter => (await exerciseOf(chapter)).tasks.map(task => ({ chapter, task }))),
  )
).flat();

/** @returns the tasks that gave points to this program */
export async function passed(name: string, code: string, some: typeof tasks): Promise<string[]> {
  const results = await inParallel(some, availableParallelism(), async ({ chapter: { slug }, task }) => {
    const directory = join(folder, name, task.id, slug);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, task.file), code);
    const { outcome } = await gradeTask(task, { chapter: slug, directory, seed: name, patience: 0.5 });
    return { id: `${slug}/${task.id}`, outcome };
  });
  return results.filter(({ outcome }) => outcome === 'passed').map(({ id }) => id);
}
