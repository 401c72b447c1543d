// Stands in for Vitest in a virtual machine, where Vitest itself would take half a minute to start. It runs the files
// of its bundle one after another, and prints a line of JSON for each test.
import { inspect } from 'node:util';

export { expect } from './expect.ts';

export interface TestResult {
  file: string;
  /** With those of the groups that it is in: 'namespaces > a container has six'. */
  name: string;
  milliseconds: number;
  skipped?: boolean;
  /** What failed; missing when nothing did. */
  error?: string;
}

type Body = (...args: never[]) => unknown;

interface Group {
  name: string;
  hooks: Record<'beforeAll' | 'beforeEach' | 'afterEach' | 'afterAll', Body[]>;
  children: (Group | Test)[];
  skipped: boolean;
}

interface Test {
  name: string;
  body: Body;
  skipped: boolean;
  timeout: number;
}

let group = newGroup('', false);

function newGroup(name: string, skipped: boolean): Group {
  return {
    name,
    hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] },
    children: [],
    skipped,
  };
}

export const beforeAll = (body: Body): number => group.hooks.beforeAll.push(body);
export const beforeEach = (body: Body): number => group.hooks.beforeEach.push(body);
export const afterEach = (body: Body): number => group.hooks.afterEach.push(body);
export const afterAll = (body: Body): number => group.hooks.afterAll.push(body);

/** `each` also takes the arguments of a row, which names with %s, %i and $field show. */
function withVariants<Define extends (name: string, ...rest: never[]) => void>(
  define: (skipped: boolean) => Define,
) {
  const each = (rows: readonly unknown[]) => (name: string, body: Body, timeout?: number) => {
    for (const row of rows) {
      const args = Array.isArray(row) ? row : [row];
      define(false)(title(name, args), ...([() => body(...(args as never[])), timeout] as never[]));
    }
  };
  return Object.assign(define(false), {
    each,
    skip: define(true),
    skipIf: (condition: unknown) => define(Boolean(condition)),
    runIf: (condition: unknown) => define(!condition),
  });
}

/** How many times as long a test may take as elsewhere: an emulated processor shares a busy machine's. */
const PATIENCE = 4;

export const test = withVariants(skipped => (name: string, body: Body, timeout = 60_000) => {
  group.children.push({ name, body, skipped, timeout: timeout * PATIENCE });
});

export const describe = withVariants(skipped => (name: string, body: Body) => {
  const outer = group;
  group = newGroup(name, skipped || outer.skipped);
  outer.children.push(group);
  body();
  group = outer;
});

function title(name: string, args: unknown[]): string {
  let next = 0;
  return name
    .replace(/%[sidfjo]/g, () => shown(args[next++]))
    .replace(/\$(\w+)/g, (_, field: string) => String((args[0] as Record<string, unknown>)[field]));
}

function shown(value: unknown): string {
  return typeof value === 'object'
    ? inspect(value, { breakLength: Number.POSITIVE_INFINITY })
    : String(value);
}

/** @param files the test files: how each is named, and what loads it */
export async function run(files: Record<string, () => Promise<unknown>>): Promise<never> {
  for (const [file, load] of Object.entries(files)) {
    group = newGroup('', false);
    try {
      await load();
      await runGroup(group, { file, path: [], before: [], after: [] });
    } catch (error) {
      report({ file, name: 'the file as a whole', milliseconds: 0, error: inspect(error) });
    }
  }
  console.log('vm: all tests were run');
  process.exit(0);
}

interface Surroundings {
  file: string;
  path: string[];
  before: Body[];
  after: Body[];
}

async function runGroup({ hooks, children, skipped }: Group, around: Surroundings): Promise<void> {
  if (!skipped) for (const hook of hooks.beforeAll) await hook();
  const inside = {
    ...around,
    before: [...around.before, ...hooks.beforeEach],
    after: [...hooks.afterEach, ...around.after],
  };
  for (const child of children) {
    const path = [...around.path, child.name];
    if ('children' in child) await runGroup(child, { ...inside, path });
    else await runTest({ ...child, skipped: skipped || child.skipped }, { ...inside, path });
  }
  if (!skipped) for (const hook of hooks.afterAll) await hook();
}

async function runTest(test: Test, { file, path, before, after }: Surroundings): Promise<void> {
  const name = path.join(' > ');
  if (test.skipped) return report({ file, name, milliseconds: 0, skipped: true });
  const begun = performance.now();
  const errors: unknown[] = [];
  const attempt = async (body: Body) => {
    try {
      await inTime(test.timeout, Promise.resolve(body()));
    } catch (error) {
      errors.push(error);
    }
  };
  for (const hook of before) await attempt(hook);
  if (errors.length === 0) await attempt(test.body);
  for (const hook of after) await attempt(hook);
  const milliseconds = Math.round(performance.now() - begun);
  report({
    file,
    name,
    milliseconds,
    ...(errors.length === 0 ? {} : { error: errors.map(error => inspect(error)).join('\n') }),
  });
}

async function inTime(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done within ${milliseconds} ms`)), milliseconds);
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function report(result: TestResult): void {
  console.log(`test: ${JSON.stringify(result)}`);
}
