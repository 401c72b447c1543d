// Programs run in running containers.

import type { Attachment } from '../engine/core/engine.ts';
import { EngineError, type ErrorKind } from '../engine/core/errors.ts';
import { encodeFrame } from '../formats/stream-frames.ts';
import { carry, streamType } from './attachment.ts';
import { execBody, execStartBody } from './container-body.ts';
import { errorAnswer } from './errors.ts';
import { jsonBody, requiredJsonBody } from './json-body.ts';
import { detachKeys, terminalSize } from './query.ts';
import { type Call, empty, json, type Route } from './router.ts';

export const execRoutes: Route[] = [
  {
    method: 'POST',
    pattern: '/containers/{id}/exec',
    handle: async call => {
      const body = await requiredJsonBody(call, execBody);
      return json(await call.engine.execs.create(call.params.id!, body), 201);
    },
  },
  { method: 'POST', pattern: '/exec/{id}/start', hijacks: true, handle: start },
  {
    method: 'POST',
    pattern: '/exec/{id}/resize',
    handle: async ({ engine, params, query }) => {
      await engine.execs.resize(params.id!, terminalSize(query));
      return empty(200);
    },
  },
  {
    method: 'GET',
    pattern: '/exec/{id}/json',
    handle: async ({ engine, params }) => json(await engine.execs.inspect(params.id!)),
  },
];

/** Found before the program is tried: an HTTP error, as for every other request. */
const ANSWERED = new Set<ErrorKind>(['notFound', 'conflict']);

async function start(call: Call) {
  const { engine, params, version } = call;
  const id = params.id!;
  const { Detach = false, Tty, ConsoleSize } = (await jsonBody(call, execStartBody)) ?? {};
  const { DetachKeys, ProcessConfig } = await engine.execs.inspect(id);
  const keys = detachKeys(DetachKeys);
  let attachment: Attachment | undefined;
  try {
    attachment = await engine.execs.start(id, {
      detach: Detach,
      ...(Tty !== undefined && { tty: Tty }),
      ...(ConsoleSize !== undefined && { consoleSize: ConsoleSize }),
    });
  } catch (error) {
    if (Detach || (error instanceof EngineError && ANSWERED.has(error.kind))) throw error;
    // Clients print what comes and then ask for the exit code; an HTTP error would tell them neither.
    const { tty } = ProcessConfig;
    const connection = await call.hijack(streamType({ tty, version }));
    const line = Buffer.from(`${errorAnswer(error).message}\r\n`);
    connection.output.write(tty ? line : encodeFrame('stderr', line));
    connection.input.resume();
    connection.close();
    return undefined;
  }
  if (attachment === undefined) return empty(200);
  try {
    const connection = await call.hijack(streamType({ tty: attachment.tty, version }));
    await carry({ attachment, connection, detachKeys: keys });
  } finally {
    attachment.detach();
  }
  return undefined;
}
