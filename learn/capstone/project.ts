// The folder in which a learner writes an engine, and the progress, which is kept in it.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../course.ts';
import { repository } from '../repository.ts';
import { makeOwned, own, readProgress, updateProgress, workFolder, writeState } from '../work.ts';

const starters = join(repository, 'capstone/starters');

/** The program's name. */
export const PROGRAM = 'my-docker';

export interface CapstoneProgress {
  /** Stage → time at which it first passed, ISO 8601. */
  passed: Record<string, string>;
  /** Stage → why it cannot be tried on this machine. */
  skipped: Record<string, string>;
  /** Stage → number of hints shown. */
  hints: Record<string, number>;
  begun: string;
  checks: number;
}

/** The folder that is named, or else the one used last, or work/capstone. */
export function projectFolder(named: string | undefined): string {
  return resolve(named ?? readProgress().capstone ?? join(workFolder, 'capstone'));
}

/** @throws UserError if there is no engine in the folder */
export function existingProject(named: string | undefined): string {
  const folder = projectFolder(named);
  if (!isProject(folder)) {
    throw new UserError(
      `there is no ${PROGRAM} in ${folder}: 'learn capstone init' makes a folder to begin with; or name yours`,
    );
  }
  updateProgress(progress => {
    progress.capstone = folder;
  });
  return realpathSync(folder);
}

export function isProject(folder: string): boolean {
  return [PROGRAM, 'Makefile'].some(name =>
    lstatSync(join(folder, name), { throwIfNoEntry: false })?.isFile(),
  );
}

export function languages(): string[] {
  return readdirSync(starters).sort();
}

/** Makes a folder with a starter. @throws UserError if there is something in it already */
export function initProject(named: string | undefined, language: string): string {
  if (!languages().includes(language)) {
    throw new UserError(
      `there is no starter in ${language}, but there are ${languages().join(', ')}. Any other language will do, too: write an executable ${PROGRAM}`,
    );
  }
  const folder = resolve(named ?? join(workFolder, 'capstone'));
  if (existsSync(folder) && (!lstatSync(folder).isDirectory() || readdirSync(folder).length > 0))
    throw new UserError(`${folder} exists already, and is not empty: name another folder`);
  if (named === undefined) makeOwned(workFolder);
  makeOwned(folder);
  cpSync(join(starters, language), folder, { recursive: true });
  cpSync(join(repository, 'capstone/README.md'), join(folder, 'README.md'));
  for (const name of readdirSync(folder)) own(join(folder, name));
  changeProgress(folder, () => {});
  updateProgress(progress => {
    progress.capstone = folder;
  });
  return folder;
}

/** Builds the program outside of the sandbox, as the folder's owner does. @throws UserError with the compiler's words */
export function make(folder: string): void {
  if (!existsSync(join(folder, 'Makefile'))) return;
  const { SUDO_UID: user, PATH } = process.env;
  const asOwner =
    process.geteuid?.() === 0 && user !== undefined ? ['sudo', '-u', `#${user}`, 'env', `PATH=${PATH}`] : [];
  const [program = '', ...args] = [...asOwner, 'make', '--silent', PROGRAM];
  const { status, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new UserError(`cannot build it: make says\n${error?.message ?? stderr.trimEnd()}`);
}

const progressFile = (folder: string): string => join(folder, '.capstone.json');

export function capstoneProgress(folder: string): CapstoneProgress {
  const fresh = { passed: {}, skipped: {}, hints: {}, begun: new Date().toISOString(), checks: 0 };
  try {
    return { ...fresh, ...JSON.parse(readFileSync(progressFile(folder), 'utf8')) };
  } catch {
    // There is none yet, or it was damaged by hand.
    return fresh;
  }
}

export function changeProgress(
  folder: string,
  change: (progress: CapstoneProgress) => void,
): CapstoneProgress {
  const progress = capstoneProgress(folder);
  change(progress);
  const file = progressFile(folder);
  writeState(file, progress);
  return progress;
}
