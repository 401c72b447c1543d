// Reads the JSON of a request: its size is limited, and every field has the type that the engine relies on.

import type { IncomingMessage } from 'node:http';
import { badParameter, tooLarge } from '../formats/errors.ts';
import type { Schema } from '../formats/schema.ts';

/** Bytes. The largest legitimate body is a container with thousands of labels. */
export const LARGEST_JSON = 4 * 1024 * 1024;

/** Decodes the body of a call; undefined when it is empty. */
export async function jsonBody<T>(
  call: { request: IncomingMessage; body(): Promise<Buffer> },
  schema: Schema<T>,
): Promise<T | undefined> {
  const bytes = await call.body();
  if (bytes.length === 0) return undefined;
  const type = call.request.headers['content-type'] ?? '';
  // A web page may send any text to localhost, but not this type, unless the server agrees.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw badParameter(`unsupported Content-Type header (${type}): must be 'application/json'`);
  }
  return parseJson(bytes, schema);
}

/** Decodes a body that must not be empty. */
export async function requiredJsonBody<T>(
  call: { request: IncomingMessage; body(): Promise<Buffer> },
  schema: Schema<T>,
): Promise<T> {
  const body = await jsonBody(call, schema);
  if (body === undefined) throw badParameter('invalid JSON: got EOF while reading request body');
  return body;
}

function parseJson<T>(bytes: Buffer, schema: Schema<T>): T {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return schema(value === null ? schema.zero : value, '');
  } catch (cause) {
    const { message } = cause as Error;
    throw badParameter(
      /^Unexpected non-whitespace character after JSON/.test(message)
        ? 'unexpected content after JSON'
        : `invalid JSON: ${message}`,
    );
  }
}

/** RFC 9112, section 6.3 */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (!hasBody(request)) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let length = 0;
  // The usual iterator would destroy the connection, and with it the answer, when the loop ends early.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > LARGEST_JSON) throw tooLarge(`request body is larger than ${LARGEST_JSON} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
