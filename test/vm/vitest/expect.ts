// Vitest's expect, in the parts that the tests use that also run in a virtual machine. A matcher that is not here is
// a TypeError in the test that wants it: no test passes for the lack of one.
import { inspect } from 'node:util';
import { equal, matches } from './equal.ts';

type Verdict = [holds: boolean, wanted: string];
type Check = (actual: unknown, ...expected: never[]) => Verdict;

const checks = {
  toBe: (actual, expected: unknown) => [Object.is(actual, expected), `be ${show(expected)}`],
  toEqual: (actual, expected: unknown) => [equal(actual, expected), `equal ${show(expected)}`],
  toMatchObject: (actual, expected: unknown) => [matches(actual, expected), `match ${show(expected)}`],
  toMatch: (actual, expected: RegExp | string) => [found(actual, expected), `match ${show(expected)}`],
  toContain: (actual, expected: unknown) => [contains(actual, expected), `contain ${show(expected)}`],
  toContainEqual: (actual, expected: unknown) => [
    [...(actual as unknown[])].some(element => equal(element, expected)),
    `contain ${show(expected)}`,
  ],
  toHaveLength: (actual, expected: number) => [
    (actual as unknown[]).length === expected,
    `have ${expected} elements`,
  ],
  toHaveProperty: (actual, expected: string) => [
    (actual as Record<string, unknown>)[expected] !== undefined,
    `have a property ${expected}`,
  ],
  toBeUndefined: actual => [actual === undefined, 'be undefined'],
  toBeDefined: actual => [actual !== undefined, 'be defined'],
  toBeNull: actual => [actual === null, 'be null'],
  toBeGreaterThan: (actual, than: number) => [(actual as number) > than, `be greater than ${than}`],
  toBeGreaterThanOrEqual: (actual, than: number) => [(actual as number) >= than, `be at least ${than}`],
  toBeLessThan: (actual, than: number) => [(actual as number) < than, `be less than ${than}`],
  toBeLessThanOrEqual: (actual, than: number) => [(actual as number) <= than, `be at most ${than}`],
  toThrow: (actual, expected?: Thrown) => {
    const error = typeof actual === 'function' ? thrownBy(actual as () => unknown) : { thrown: actual };
    const wanted = `throw ${expected === undefined ? 'something' : show(expected)}`;
    return [error !== undefined && isWanted(error.thrown, expected), wanted];
  },
} satisfies Record<string, Check>;

type Thrown = RegExp | string | Error | { asymmetricMatch(value: unknown): boolean };
type Matchers = { [Name in keyof typeof checks]: (...expected: unknown[]) => unknown };
type Expectation = Matchers & {
  not: Expectation;
  resolves: Expectation;
  rejects: Expectation;
};

export function expect(actual: unknown, message?: string): Expectation {
  return expectation(check => check(actual), message, false);
}

/** Tries again until it holds, for a second. */
expect.poll = (look: () => unknown, options: { timeout?: number; interval?: number } = {}): Expectation =>
  expectation(
    async check => {
      const end = Date.now() + (options.timeout ?? 1000) * 5;
      for (;;) {
        try {
          return check(await look());
        } catch (error) {
          if (Date.now() > end) throw error;
          await new Promise(done => setTimeout(done, options.interval ?? 50));
        }
      }
    },
    undefined,
    false,
  );
expect.unreachable = (message = 'this must not be reached'): never => {
  throw new Error(message);
};
expect.any = (type: (value?: unknown) => unknown) => ({
  asymmetricMatch: (value: unknown) => value !== undefined && value !== null && Object(value) instanceof type,
});
expect.stringContaining = (part: string) => ({
  asymmetricMatch: (value: unknown) => String(value).includes(part),
});
expect.stringMatching = (pattern: RegExp) => ({
  asymmetricMatch: (value: unknown) => pattern.test(String(value)),
});
expect.objectContaining = (part: object) => ({ asymmetricMatch: (value: unknown) => matches(value, part) });
expect.arrayContaining = (part: unknown[]) => ({
  asymmetricMatch: (value: unknown) =>
    part.every(wanted => (value as unknown[]).some(element => equal(element, wanted))),
});

/** @param apply runs a check on the value, now or when there is one */
function expectation(
  apply: (check: (actual: unknown) => void) => unknown,
  message: string | undefined,
  negated: boolean,
): Expectation {
  const matchers = Object.entries(checks).map(([name, check]) => {
    const matcher = (...expected: never[]) =>
      apply(actual => {
        const [holds, wanted] = (check as Check)(actual, ...expected);
        if (holds !== negated) return;
        const text = `expected ${show(actual)} ${negated ? 'not ' : ''}to ${wanted}`;
        throw new Error(message === undefined ? text : `${message}: ${text}`);
      });
    return [name, matcher];
  });
  const settled = (settle: (value: unknown) => Promise<unknown>) => () =>
    expectation(
      check => apply(actual => settle(typeof actual === 'function' ? actual() : actual).then(check)),
      message,
      negated,
    );
  return Object.defineProperties(Object.fromEntries(matchers), {
    not: { get: () => expectation(apply, message, !negated) },
    resolves: { get: settled(async value => value) },
    rejects: { get: settled(rejectionOf) },
  }) as Expectation;
}

async function rejectionOf(promise: unknown): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, and it resolved to ${show(value)}`);
}

function thrownBy(call: () => unknown): { thrown: unknown } | undefined {
  try {
    call();
  } catch (thrown) {
    return { thrown };
  }
  return undefined;
}

function isWanted(thrown: unknown, expected: Thrown | undefined): boolean {
  if (expected === undefined) return true;
  if (typeof expected === 'string' || expected instanceof RegExp) {
    return found((thrown as Error).message, expected);
  }
  return equal(thrown, expected);
}

function found(text: unknown, part: RegExp | string): boolean {
  if (typeof text !== 'string') return false;
  return typeof part === 'string' ? text.includes(part) : part.test(text);
}

function contains(whole: unknown, part: unknown): boolean {
  return typeof whole === 'string'
    ? whole.includes(part as string)
    : [...(whole as unknown[])].includes(part);
}

function show(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: Number.POSITIVE_INFINITY });
}
