// Reading a request's JSON: its size is limited, and every field has the type that the engine relies on. Field names
// match without regard to case and unknown ones are ignored, as in Go's decoder, which clients were written against.

import type { IncomingMessage } from 'node:http';
import { badParameter } from '../engine/core/errors.ts';
import { ExpectedError } from '../formats/errors.ts';

/** Bytes. The largest honest body is a container with thousands of labels. */
export const LARGEST_JSON = 4 * 1024 * 1024;

/** Checks and copies a value; `where` names its place in errors: 'HostConfig.Memory'. */
export type Decoder<T> = (value: unknown, where: string) => T;

/** One decoder a field; the compiler sees to it that none is missing. */
export type FieldDecoders<T> = { [K in keyof T]-?: Decoder<NonNullable<T[K]>> };

/** The body of a call, undefined when it is empty. */
export async function jsonBody<T>(
  call: { request: IncomingMessage; body(): Promise<Buffer> },
  decode: Decoder<T>,
): Promise<T | undefined> {
  const bytes = await call.body();
  if (bytes.length === 0) return undefined;
  const type = call.request.headers['content-type'] ?? '';
  // A web page may send any text to localhost, but nothing of this type unless the server agrees to it.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw badParameter(
      `unsupported Content-Type header (${JSON.stringify(type)}): must be 'application/json'`,
    );
  }
  return parseJson(bytes, decode);
}

/** The body, where an empty one makes no sense. */
export async function requiredJsonBody<T>(
  call: { request: IncomingMessage; body(): Promise<Buffer> },
  decode: Decoder<T>,
): Promise<T> {
  const body = await jsonBody(call, decode);
  if (body === undefined) throw badParameter('invalid JSON: got EOF while reading request body');
  return body;
}

function parseJson<T>(bytes: Buffer, decode: Decoder<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw badParameter(`invalid JSON: ${(error as Error).message}`);
  }
  return decode(value, '');
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The usual iterator would destroy the connection when the loop is left, and the answer with it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > LARGEST_JSON)
      throw new ExpectedError('tooLarge', `request body is larger than ${LARGEST_JSON} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function wrong(where: string, wanted: string, value: unknown): ExpectedError {
  return badParameter(`invalid JSON: ${where || 'the body'} must be ${wanted}, not ${shown(value)}`);
}

function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    // Nested so deeply that our stack does not suffice.
    text = Array.isArray(value) ? '[...]' : '{...}';
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export const string: Decoder<string> = (value, where) => {
  if (typeof value !== 'string') throw wrong(where, 'a string', value);
  // A NUL would end the string early in a system call's argument.
  if (value.includes('\0')) throw wrong(where, 'a string without NUL', value);
  return value;
};

/** Of 64 bits at most; the largest ones lose their last digits, which stand for "no limit" anyway. */
export const integer: Decoder<number> = (value, where) => {
  if (!Number.isInteger(value) || Math.abs(value as number) > 2 ** 63)
    throw wrong(where, 'an integer', value);
  return value as number;
};

export const boolean: Decoder<boolean> = (value, where) => {
  if (typeof value !== 'boolean') throw wrong(where, 'true or false', value);
  return value;
};

/** What the engine does not look into. */
export const anyObject: Decoder<object> = (value, where) => {
  if (typeof value !== 'object' || value === null) throw wrong(where, 'an object', value);
  return value;
};

export const list =
  <T>(item: Decoder<T>): Decoder<T[]> =>
  (value, where) => {
    if (!Array.isArray(value)) throw wrong(where, 'a list', value);
    return value.map((each, index) => item(each, `${where}[${index}]`));
  };

/** A single string stands for a list of one: so dockerd reads commands. */
export const words: Decoder<string[]> = (value, where) =>
  typeof value === 'string' ? [string(value, where)] : list(string)(value, where);

export const pair: Decoder<[number, number]> = (value, where) => {
  const found = list(integer)(value, where);
  if (found.length !== 2) throw wrong(where, 'two numbers', value);
  return found as [number, number];
};

export const map =
  <T>(item: Decoder<T>): Decoder<Record<string, T>> =>
  (value, where) => {
    const entries = Object.entries(record(value, where));
    // fromEntries defines properties; assigning would let a key '__proto__' replace the prototype.
    return Object.fromEntries(
      entries.map(([key, each]) => [string(key, where), item(each, `${where}.${key}`)]),
    );
  };

export const nullable =
  <T>(item: Decoder<T>): Decoder<T | null> =>
  (value, where) =>
    value === null ? null : item(value, where);

/** An object; fields that are null are left out, as absent ones. */
export function object<T extends object>(decoders: FieldDecoders<T>): Decoder<T> {
  const known = new Map(
    Object.entries<Decoder<unknown>>(decoders).map(([k, d]) => [k.toLowerCase(), [k, d] as const]),
  );
  return (value, where) => {
    const found: Record<string, unknown> = {};
    for (const [key, each] of Object.entries(record(value, where))) {
      const field = known.get(key.toLowerCase());
      if (field === undefined || each === null) continue;
      const [name, decode] = field;
      found[name] = decode(each, where === '' ? name : `${where}.${name}`);
    }
    return found as T;
  };
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(where, 'an object', value);
  return value as Record<string, unknown>;
}
