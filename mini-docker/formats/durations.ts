// Durations as Go writes them ('1h30m', '250ms'), as people read them ('About an hour'), and points in time as
// `--since` and `--until` take them.

import { FormatError } from './errors.ts';

const UNITS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** '1m30s' → nanoseconds. The grammar and the messages are those of https://pkg.go.dev/time#ParseDuration. */
export function decodeDuration(text: string): number {
  const invalid = () => new FormatError(`time: invalid duration ${JSON.stringify(text)}`);
  const sign = /^[-+]/.exec(text)?.[0] ?? '';
  let rest = text.slice(sign.length);
  if (rest === '0') return 0;
  if (rest === '') throw invalid();
  let total = 0;
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (!part) throw invalid();
    if (part[2] === '') throw new FormatError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const unit = UNITS[part[2]!];
    if (unit === undefined) {
      throw new FormatError(
        `time: unknown unit ${JSON.stringify(part[2])} in duration ${JSON.stringify(text)}`,
      );
    }
    total += Number(part[1]) * unit;
    rest = rest.slice(part[0].length);
  }
  return Math.round(sign === '-' ? -total : total);
}

/** Nanoseconds → '1h30m0s', as Go prints a duration. */
export function encodeDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 0) return `-${encodeDuration(-nanoseconds)}`;
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9);
  const seconds = (nanoseconds % 60e9) / 1e9;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}

/** Seconds → 'About a minute', in the words and with the limits of docker's listings. */
export function describeDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 1) return 'Less than a second';
  if (whole === 1) return '1 second';
  if (whole < 60) return `${whole} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(seconds / 3600 / 24 / 365)} years`;
}

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d))?(?::(\d\d)(?:\.(\d{1,9}))?)?)?$/;
const ZONED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?(Z|[-+]\d\d:\d\d)$/;

/**
 * A time ('2026-01-02T15:04:05Z', without a zone the local one), seconds since 1970 ('1700000000.5'), or a duration
 * before `now` ('10m') → seconds since 1970 with nine decimals, as the Engine API takes them.
 * @throws FormatError when the text is none of these
 */
export function decodePointInTime(text: string, now: Date): string {
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text;
  const local = LOCAL.exec(text);
  if (local) {
    const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = ''] = local;
    const date = new Date(
      Number(year),
      Number(month) - 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    );
    return withFraction(date.getTime(), fraction);
  }
  const zoned = ZONED.exec(text);
  if (zoned) {
    const date = Date.parse(`${zoned[1]}${zoned[2] ?? ':00'}${zoned[4]}`);
    if (!Number.isNaN(date)) return withFraction(date, zoned[3] ?? '');
  }
  try {
    const then = now.getTime() - decodeDuration(text) / 1e6;
    return withFraction(Math.floor(then / 1000) * 1000, String(Math.floor(then % 1000)).padStart(3, '0'));
  } catch {
    throw new FormatError(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  }
}

const withFraction = (milliseconds: number, fraction: string) =>
  `${Math.floor(milliseconds / 1000)}.${fraction.padEnd(9, '0')}`;
