// Grades engines that were handed in. Submissions run in sandboxes only, and so do their Makefiles.
import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { O, openInRoot, withFd } from '#linux';
import type { Broken } from '../grader/broken-promise.ts';
import type { TaskResult } from '../grader/exercise.ts';
import { excerptOf } from '../grader/grade.ts';
import { inParallel } from '../grader/in-parallel.ts';
import type { Submission } from '../grader/reports.ts';
import { said } from '../grader/said.ts';
import { graderFailed, type Handed } from '../grader/submission.ts';
import { capture } from '../sandbox/capture.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { type Engine, gradeStage, PROJECT } from './grade.ts';
import { Kit } from './kit.ts';
import { isProject, PROGRAM } from './project.ts';
import { type Stage, stageNamed, stages } from './stages.ts';

const BUILD_LIMIT = 180_000;
/** Bytes of a program that is taken out of the sandbox in which it was built. */
const MOST_PROGRAM = 64 * 1024 * 1024;

interface How {
  seed: string;
  patience: number;
}

/** @param how.only names of the stages; all if it is empty */
export async function gradeCapstones(
  handed: readonly Handed[],
  how: How & { only: readonly string[] },
): Promise<Submission[]> {
  const every = await stages();
  const all = how.only.length === 0 ? every : how.only.map(name => stageNamed(every, name));
  using kit = new Kit();
  const graded: Submission[] = [];
  for (const { folder, name } of handed) {
    const seed = `${how.seed} ${name}`;
    const tasks = await gradeEngine(engineIn(folder), all, kit, { ...how, seed });
    graded.push({ name, seed, chapters: [{ slug: 'capstone', title: 'Your own Docker', tasks }] });
  }
  return graded;
}

/** A symbolic link could lead into another submission. */
function engineIn(folder: string): string | undefined {
  const path = resolve(folder);
  const places = [...(basename(path) === 'capstone' ? [] : [join(path, 'capstone')]), path];
  return places.find(place => lstatSync(place, { throwIfNoEntry: false })?.isDirectory() && isProject(place));
}

async function gradeEngine(
  directory: string | undefined,
  all: readonly Stage[],
  kit: Kit,
  how: How,
): Promise<TaskResult[]> {
  if (directory === undefined) return all.map(stage => notBuilt(stage, NOTHING));
  const temporary = mkdtempSync(join(tmpdir(), 'capstone-built-'));
  try {
    const hasMakefile = lstatSync(join(directory, 'Makefile'), { throwIfNoEntry: false })?.isFile();
    const broken = hasMakefile ? await build(directory, temporary, how.patience) : undefined;
    if (broken !== undefined) return all.map(stage => notBuilt(stage, broken));
    const engine: Engine = { directory, built: hasMakefile ? temporary : undefined, kit };
    return await inParallel(all, availableParallelism(), stage =>
      gradeStage(stage, engine, how).catch(error => graderFailed(stage, error)),
    );
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

const NOTHING: Broken = {
  check: 'handed-in',
  promised: `the folder contains ${PROGRAM}, or a Makefile that makes it`,
  seen: 'there is neither',
  look: 'the names of files; a symbolic link does not count',
};

function notBuilt({ id, title, points: of }: Stage, broken: Broken): TaskResult {
  return { id, title, points: 0, of, outcome: 'failed', broken, milliseconds: 0 };
}

/** Builds in a sandbox, and takes the program out of it, and nothing else. @returns what went wrong */
async function build(directory: string, to: string, patience: number): Promise<Broken | undefined> {
  await using sandbox = await Sandbox.create({
    directory: PROJECT,
    excerpt: excerptOf([]),
    placed: [{ source: directory, target: PROJECT, as: 'layer' }],
  });
  const made = await capture(sandbox, ['make', '--silent', PROGRAM], {
    directory: PROJECT,
    timeout: BUILD_LIMIT * patience,
  });
  const promised = `make ${PROGRAM} builds it, without a network and with the programs in /usr`;
  const look = 'the Makefile; what does it need that is not in the folder?';
  const words = said(made.stderr, made.code);
  const program = made.code === 0 ? programIn(sandbox) : undefined;
  if (program === undefined) {
    const seen = made.timedOut
      ? 'it was not done in time'
      : `it exited with ${made.code}, and there is no program`;
    return { check: 'builds', promised, seen, look, ...(words === undefined ? {} : { said: words }) };
  }
  writeFileSync(join(to, PROGRAM), program, { mode: 0o755 });
  return undefined;
}

/** No path in the sandbox leads out of it: the kernel resolves it below the sandbox's root. */
function programIn(sandbox: Sandbox): Buffer | undefined {
  const root = openSync(`/proc/${sandbox.pid}/root`, O.PATH | O.DIRECTORY);
  try {
    // O_NONBLOCK: what was built may be a FIFO.
    return withFd(openInRoot(root, join(PROJECT, PROGRAM), O.RDONLY | O.NONBLOCK | O.NOFOLLOW), fd => {
      const status = fstatSync(fd);
      if (!status.isFile() || status.size > MOST_PROGRAM) return undefined;
      const bytes = Buffer.alloc(status.size);
      return bytes.subarray(0, readSync(fd, bytes));
    });
  } catch {
    return undefined;
  } finally {
    closeSync(root);
  }
}
