// Requests to a daemon that may be killed at any moment.
import { request } from 'node:http';

export interface Answer {
  status: number;
  body: Buffer;
}

/** Resolves with undefined when the daemon ended before its answer was whole: then nothing is known. */
export type Ask = (method: string, path: string, body?: object | Buffer) => Promise<Answer | undefined>;

export function askOf(socketPath: string): Ask {
  return (method, path, body) =>
    new Promise(resolve => {
      const isArchive = Buffer.isBuffer(body);
      const type = isArchive ? 'application/x-tar' : 'application/json';
      const headers = { 'x-registry-auth': 'e30=', ...(body ? { 'content-type': type } : {}) };
      const asked = request({ socketPath, method, path, agent: false, headers }, reply => {
        const pieces: Buffer[] = [];
        reply.on('data', piece => pieces.push(piece));
        reply.on('end', () => resolve({ status: reply.statusCode!, body: Buffer.concat(pieces) }));
        reply.on('error', () => resolve(undefined));
      });
      asked.on('error', () => resolve(undefined));
      asked.end(isArchive ? body : body && JSON.stringify(body));
    });
}

/** The error that a stream of progress messages ends with; undefined after a success. */
export function errorIn({ status, body }: Answer): string | undefined {
  if (status >= 400) return `${status} ${body}`;
  return /"error":"(?<error>[^"]*)"/.exec(body.toString())?.groups?.error;
}

/** @throws Error when the answer is missing or an error */
export async function json<T>(ask: Ask, method: string, path: string, body?: object): Promise<T> {
  const answer = await ask(method, path, body);
  if (answer === undefined || answer.status >= 400)
    throw new Error(
      `${method} ${path}: ${answer === undefined ? 'no answer' : `${answer.status} ${answer.body}`}`,
    );
  return answer.body.length === 0 ? ({} as T) : JSON.parse(answer.body.toString());
}
