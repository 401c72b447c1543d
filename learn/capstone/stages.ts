// The stages of the capstone, read from its folders: every capstone/stages/NN-name is a stage.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../course.ts';
import type { Task } from '../grader/exercise.ts';
import type { Lab } from '../grader/lab.ts';
import { repository } from '../repository.ts';

/** What a stage's checks.ts exports. */
export interface Checks {
  /** By default 1. */
  points?: number;
  /** Programs of the machine without which it cannot be tried. */
  needsProgram?: string;
  /** Milliseconds for the whole stage; by default 30 000. */
  timeLimit?: number;
  check(lab: Lab): Promise<void>;
}

export interface Stage extends Task {
  number: number;
  /** Markdown: what to build and why, without the hints. */
  page: string;
  /** The vaguest first. */
  hints: readonly string[];
}

const directory = join(repository, 'capstone/stages');
const TIME_LIMIT = 30_000;

export async function stages(): Promise<Stage[]> {
  const names = readdirSync(directory).filter(name => /^\d\d-/.test(name));
  return Promise.all(names.sort().map(load));
}

async function load(id: string): Promise<Stage> {
  const { stage } = (await import(join(directory, id, 'checks.ts'))) as { stage: Checks };
  const [page = '', hints = ''] = readFileSync(join(directory, id, 'README.md'), 'utf8').split(
    '\n## Hints\n',
  );
  return {
    id,
    number: Number(id.slice(0, 2)),
    title: page.split('\n', 1)[0]!.replace(/^# Stage \d+\. /, ''),
    points: 1,
    timeLimit: TIME_LIMIT,
    file: 'my-docker',
    needsGroups: true,
    page,
    hints: hints
      .split(/^- /m)
      .slice(1)
      .map(hint => hint.trim()),
    ...stage,
  };
}

/** @param text '7', '07-volumes' or 'volumes' @throws UserError */
export function stageNamed(all: readonly Stage[], text: string): Stage {
  const found = all.find(({ id, number }) => id === text || id.slice(3) === text || number === Number(text));
  if (found !== undefined) return found;
  throw new UserError(`there is no stage ${text}: stages are numbered 1 to ${all.length}`);
}
