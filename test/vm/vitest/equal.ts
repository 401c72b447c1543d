// When two values count as equal, for the matchers in expect.ts: as Vitest has it, in the parts that tests use.

/** A value that stands for all that it accepts: expect.stringContaining('x'). */
export interface Asymmetric {
  asymmetricMatch(value: unknown): boolean;
}

/** toEqual: properties that are undefined count as missing. */
export function equal(actual: unknown, expected: unknown): boolean {
  return compare(actual, expected, false);
}

/** toMatchObject: objects may have more properties than are expected of them, arrays no more elements. */
export function matches(actual: unknown, expected: unknown): boolean {
  return compare(actual, expected, true);
}

function compare(actual: unknown, expected: unknown, subset: boolean): boolean {
  if (isAsymmetric(expected)) return expected.asymmetricMatch(actual);
  if (Object.is(actual, expected)) return true;
  if (!isObject(actual) || !isObject(expected)) return false;
  if (Array.isArray(expected) !== Array.isArray(actual)) return false;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return (
      actual.length === expected.length &&
      expected.every((element, index) => compare(actual[index], element, subset))
    );
  }
  if (expected instanceof Date || expected instanceof RegExp) return String(actual) === String(expected);
  if (expected instanceof Uint8Array) {
    return actual instanceof Uint8Array && Buffer.compare(actual, expected) === 0;
  }
  if (expected instanceof Set) {
    return actual instanceof Set && equal([...actual].sort(), [...expected].sort());
  }
  if (expected instanceof Map) return actual instanceof Map && equal([...actual], [...expected]);
  if (expected instanceof Error) return actual instanceof Error && actual.message === expected.message;
  const names = Object.keys(expected);
  if (!subset) names.push(...Object.keys(actual));
  return names.every(name => compare(property(actual, name), property(expected, name), subset));
}

function property(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isAsymmetric(value: unknown): value is Asymmetric {
  return isObject(value) && 'asymmetricMatch' in value;
}
