// Times with nanoseconds: RFC 3339 as Docker writes it, and the forms of `since` and `until` that its clients send.

/** The time that Docker writes for "not yet". */
export const NEVER_TIME = '0001-01-01T00:00:00Z';

/** '2026-01-02T03:04:05.123456789Z': always nine digits, so that times sort as text. */
export function encodeTimestamp(nanoseconds: bigint): string {
  const seconds = floorDivide(nanoseconds, 1_000_000_000n);
  const fraction = nanoseconds - seconds * 1_000_000_000n;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${date}.${fraction.toString().padStart(9, '0')}Z`;
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|z|[+-]\d\d:\d\d)?)?$/;

/**
 * Nanoseconds since 1970 of an RFC 3339 time (a missing time of day is midnight, a missing zone is UTC) or of
 * seconds since 1970 with an optional fraction ('1700000000.25'). undefined when it is neither.
 */
export function decodeTimestamp(text: string): bigint | undefined {
  const unix = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (unix) {
    const fraction = BigInt((unix[2] ?? '').padEnd(9, '0'));
    const seconds = BigInt(unix[1]!) * 1_000_000_000n;
    return text.startsWith('-') ? seconds - fraction : seconds + fraction;
  }
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, date, time = '00:00:00', fraction = '', zone = 'Z'] = match;
  const clock = time.length === 5 ? `${time}:00` : time;
  const milliseconds = Date.parse(`${date}T${clock}${zone.toUpperCase()}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** The wall clock at the machine's resolution; Date.now() has only milliseconds. */
export function nowNanoseconds(): bigint {
  const wall = Date.now();
  const fine = performance.timeOrigin + performance.now();
  // performance.now() does not follow when the clock is set, so it only adds digits to the wall clock's time.
  const now = Math.abs(fine - wall) < 5 ? fine : wall;
  const whole = Math.floor(now);
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((now - whole) * 1_000_000));
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
