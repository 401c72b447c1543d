// Docker's json-file log format (https://docs.docker.com/engine/logging/drivers/json-file/): one JSON object a line,
// {"log":"hello\n","stream":"stdout","time":"2026-01-02T03:04:05.123456789Z"}. `log` keeps its newline; without one
// it is a piece of a longer line, or the last words of a program that ended without a newline.

import { quietly } from '../../formats/quietly.ts';
import { decodeTimestamp, encodeTimestamp } from '../../formats/timestamp.ts';

export type OutputStream = 'stdout' | 'stderr';

export interface LogLine {
  stream: OutputStream;
  /** Nanoseconds since 1970. */
  time: bigint;
  data: Uint8Array;
}

/** Docker's longest `log` in bytes: longer lines become several entries. */
export const PIECE_LIMIT = 16 * 1024;

/** The line with its newline. Bytes that are not UTF-8 become U+FFFD, since JSON cannot hold them. */
export function encodeLogLine(line: LogLine): string {
  const text = JSON.stringify(asBuffer(line.data).toString('utf8'));
  // Lines that arrive together share a time, and formatting it costs ten times as much as the rest.
  if (line.time !== lastTime) {
    lastTime = line.time;
    lastTimeText = encodeTimestamp(line.time);
  }
  return `{"log":${text},"stream":"${line.stream}","time":"${lastTimeText}"}\n`;
}

let lastTime: bigint | undefined;
let lastTimeText = '';

/** undefined when `text` is not a log line: a torn or foreign line must not stop the reader. */
export function decodeLogLine(text: string): LogLine | undefined {
  const fields = quietly(() => JSON.parse(text) as { log?: unknown; stream?: unknown; time?: unknown });
  if (fields === undefined) return undefined;
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { log, stream, time } = fields;
  if (typeof log !== 'string' || typeof time !== 'string') return undefined;
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const nanoseconds = decodeTimestamp(time);
  if (nanoseconds === undefined) return undefined;
  return { stream, time: nanoseconds, data: Buffer.from(log) };
}

/**
 * Splits a program's output into log entries: whole lines, and pieces of at most PIECE_LIMIT bytes of longer
 * ones, never inside a UTF-8 character. The remainder is an unfinished line; after the program has exited it
 * becomes an entry too.
 */
export function splitOutput(bytes: Uint8Array, ended: boolean): { pieces: Uint8Array[]; rest: Uint8Array } {
  const pieces: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(0x0a, start);
    let end = newline < 0 ? bytes.length : newline + 1;
    if (end - start > PIECE_LIMIT) end = characterBoundary(bytes, start + PIECE_LIMIT);
    else if (newline < 0 && end - start < PIECE_LIMIT && !ended) break;
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return { pieces, rest: bytes.subarray(start) };
}

/**
 * The last position at or before `end` that is not inside a UTF-8 sequence; `end` itself when the bytes are
 * not UTF-8.
 */
function characterBoundary(bytes: Uint8Array, end: number): number {
  let start = end;
  while (start > end - 4 && (bytes[start]! & 0xc0) === 0x80) start -= 1;
  const lead = bytes[start]!;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start + length > end && length > 1 ? start : end;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
