// Reports for people, programs, CI servers and Gradescope.
import type { TaskResult } from './exercise.ts';

export interface ChapterResult {
  slug: string;
  title: string;
  tasks: TaskResult[];
}

export interface Submission {
  /** Name of its folder. */
  name: string;
  seed: string;
  chapters: ChapterResult[];
}

function totals({ chapters }: Submission): { points: number; of: number } {
  const tasks = chapters.flatMap(chapter => chapter.tasks);
  return {
    points: tasks.reduce((sum, task) => sum + task.points, 0),
    of: tasks.reduce((sum, task) => sum + task.of, 0),
  };
}

function explanation({ broken, reason }: TaskResult): string {
  if (reason !== undefined) return `skipped: ${reason}`;
  if (broken === undefined) return '';
  const said = broken.said === undefined ? '' : `\nit said: ${broken.said}`;
  return `promised: ${broken.promised}\nseen: ${broken.seen}\nlook at: ${broken.look}${said}`;
}

export function textReport(submissions: readonly Submission[], seed: string): string {
  const lines = submissions.flatMap(submission => {
    const { points, of } = totals(submission);
    const tasks = submission.chapters.flatMap(({ slug, tasks: all }) =>
      all.flatMap(task => [
        `  ${{ passed: '✓', failed: '✗', skipped: '–' }[task.outcome]} ${slug}/${task.id} ${task.points}/${task.of}`,
        ...explanation(task)
          .split('\n')
          .filter(Boolean)
          .map(line => `      ${line}`),
      ]),
    );
    return [`${submission.name}: ${points} of ${of} points`, ...tasks, ''];
  });
  return `${lines.join('\n')}(--seed ${seed})\n`;
}

export function jsonReport(submissions: readonly Submission[], seed: string): string {
  const all = submissions.map(submission => ({ ...submission, ...totals(submission) }));
  return `${JSON.stringify({ seed, submissions: all }, null, 2)}\n`;
}

/** JUnit XML in the dialect that CI servers read: one suite for each chapter of each submission. */
export function junitReport(submissions: readonly Submission[]): string {
  const suites = submissions.flatMap(({ name, chapters }) =>
    chapters.map(
      ({ slug, tasks }) =>
        `  <testsuite name="${xml(`${name}/${slug}`)}" ${tally(tasks)}>\n${tasks.map(task => testcase(slug, task)).join('')}  </testsuite>\n`,
    ),
  );
  const all = submissions.flatMap(({ chapters }) => chapters.flatMap(({ tasks }) => tasks));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${tally(all)}>\n${suites.join('')}</testsuites>\n`;
}

/** Counts and seconds. An error is the fault of the grader, a failure that of the submission. */
function tally(tasks: readonly TaskResult[]): string {
  const errors = tasks.filter(isError).length;
  const failures = tasks.filter(({ outcome }) => outcome === 'failed').length - errors;
  const skipped = tasks.filter(({ outcome }) => outcome === 'skipped').length;
  const seconds = tasks.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
  return `tests="${tasks.length}" failures="${failures}" errors="${errors}" skipped="${skipped}" time="${seconds}"`;
}

function isError({ broken }: TaskResult): boolean {
  return broken?.check === 'grader';
}

function testcase(slug: string, task: TaskResult): string {
  const head = `    <testcase classname="${xml(slug)}" name="${xml(task.id)}" time="${task.milliseconds / 1000}"`;
  if (task.outcome === 'passed') return `${head}/>\n`;
  const body = xml(explanation(task));
  if (task.outcome === 'skipped') return `${head}><skipped message="${body}"/></testcase>\n`;
  const element = isError(task) ? 'error' : 'failure';
  const { check = '', seen = '' } = task.broken ?? {};
  return `${head}><${element} type="${xml(check)}" message="${xml(seen)}">${body}</${element}></testcase>\n`;
}

/** Escapes text, and leaves out characters that XML 1.0 cannot represent, such as a terminal's escape. */
function xml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
    .replace(/[&<>"]/g, character => entities[character]!);
}

/** results.json as in Gradescope's autograder specification. */
export function gradescopeReport(submissions: readonly Submission[], seed: string): string {
  const [submission] = submissions;
  const tests = submission!.chapters.flatMap(({ slug, tasks }) =>
    tasks.map(task => ({
      name: `${slug}/${task.id}: ${task.title}`,
      score: task.points,
      max_score: task.of,
      status: task.outcome === 'passed' ? 'passed' : 'failed',
      output: explanation(task),
    })),
  );
  const { points } = totals(submission!);
  return `${JSON.stringify({ score: points, output: `seed ${seed}`, visibility: 'visible', stdout_visibility: 'visible', tests }, null, 2)}\n`;
}
