// What the open pages are told while the learner works: progress, and the results of checks. A change of a file starts
// a check of its chapter, as in `learn watch`; one check runs at a time.
import { existsSync, type FSWatcher, watch } from 'node:fs';
import type { Tell } from '../../mini-docker/web/server.ts';
import { checkTasks, randomSeed } from '../checking.ts';
import { chapters, exerciseOf } from '../course.ts';
import type { TaskResult } from '../grader/exercise.ts';
import { standings, taskKey } from '../standing.ts';
import { makeWorkFolder, readProgress, workOn } from '../work.ts';

/** An editor may write a file several times: milliseconds to wait for the last. */
const QUIET = 200;

export class Live implements AsyncDisposable {
  readonly #listeners = new Set<Tell>();
  readonly #results = new Map<string, object>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #quiet = new Map<string, NodeJS.Timeout>();
  readonly #waiting = new Set<string>();
  #working: Promise<void> | undefined;
  #closed = false;

  constructor() {
    // Its own entries are the progress and the chapters' folders.
    this.#watchers.set(
      '',
      watch(makeWorkFolder(), (_, name) => {
        if (name === '.learn.json') this.#after('', () => void this.#tellProgress());
        else if (chapters().some(({ slug }) => slug === name)) this.#watchChapter(name!);
      }),
    );
    for (const { slug } of chapters()) this.#watchChapter(slug);
  }

  /** Tells the listener what is known, and from then on what is new. @returns how to end that */
  async listen(listener: Tell): Promise<() => void> {
    this.#listeners.add(listener);
    listener('progress', await progress());
    for (const result of this.#results.values()) listener('result', result);
    return () => this.#listeners.delete(listener);
  }

  /** @returns false if there is no such exercise in the work folder */
  check(slug: string): boolean {
    const chapter = chapters().find(each => each.slug === slug);
    if (this.#closed || chapter === undefined || !existsSync(workOn(chapter))) return false;
    this.#waiting.add(slug);
    this.#working ??= this.#work();
    return true;
  }

  /** Waits for the task that is being checked, whose sandbox would otherwise leave its control groups behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    for (const timer of this.#quiet.values()) clearTimeout(timer);
    this.#waiting.clear();
    await this.#working;
  }

  /** `learn reset` puts another folder in the place of the old one. */
  #watchChapter(slug: string): void {
    this.#watchers.get(slug)?.close();
    this.#watchers.delete(slug);
    this.#after('', () => void this.#tellProgress());
    if (!existsSync(workOn({ slug }))) return;
    const watcher = watch(workOn({ slug }), (_, name) => {
      // Editors keep copies under such names.
      if (name === null || name.startsWith('.') || name.endsWith('~')) return;
      // Without a page that shows it, a check would only take time.
      if (this.#listeners.size > 0) this.#after(slug, () => this.check(slug));
    });
    watcher.on('error', () => watcher.close());
    this.#watchers.set(slug, watcher);
  }

  #after(key: string, act: () => void): void {
    if (this.#closed) return;
    clearTimeout(this.#quiet.get(key));
    this.#quiet.set(key, setTimeout(act, QUIET));
  }

  #tell(name: string, data: object): void {
    for (const listener of this.#listeners) listener(name, data);
  }

  async #tellProgress(): Promise<void> {
    this.#tell('progress', await progress());
  }

  async #work(): Promise<void> {
    for (const slug of this.#waiting) {
      this.#waiting.delete(slug);
      await this.#checkNow(slug);
    }
    this.#working = undefined;
  }

  async #checkNow(slug: string): Promise<void> {
    const chapter = chapters().find(each => each.slug === slug)!;
    this.#tell('checking', { chapter: slug });
    try {
      const { tasks } = await exerciseOf(chapter);
      for await (const result of checkTasks(chapter, tasks, { seed: randomSeed() })) {
        const news = told(taskKey(chapter, result), result);
        this.#results.set(news.key, news);
        this.#tell('result', news);
        if (this.#closed) return;
      }
      this.#tell('checked', { chapter: slug });
    } catch (error) {
      // The sandbox could not be made, or the folder was moved away meanwhile.
      this.#tell('trouble', {
        chapter: slug,
        message: `The check did not work: ${(error as Error).message}`,
      });
    }
  }
}

function told(key: string, { outcome, reason, broken }: TaskResult) {
  return { key, outcome, reason, broken };
}

async function progress(): Promise<object> {
  const { passed, hints } = readProgress();
  const all = await standings();
  const sum = (field: 'reached' | 'of'): number => all.reduce((total, each) => total + each[field], 0);
  const ofChapters = all.map(({ chapter, reached, of, started }) => [chapter.slug, { reached, of, started }]);
  return {
    passed: Object.keys(passed),
    hints,
    chapters: Object.fromEntries(ofChapters),
    reached: sum('reached'),
    of: sum('of'),
  };
}
