// Routes for programs that are executed in running containers.

import type { Attachment } from '../engine/core/engine.ts';
import { execCreateBody, execStartBody } from '../formats/engine-api/containers.ts';
import { given } from '../formats/given.ts';
import { encodeFrame } from '../formats/stream-frames.ts';
import { carry, streamType } from './attachment.ts';
import { errorAnswer } from './errors.ts';
import { jsonBody, requiredJsonBody } from './json-body.ts';
import { detachKeys, terminalSize } from './query.ts';
import { type Call, does, empty, type Hijacked, type Route, reads } from './router.ts';

export const execRoutes: Route[] = [
  reads(
    'POST',
    '/containers/{id}/exec',
    async call => {
      const body = await requiredJsonBody(call, execCreateBody);
      return call.engine.execs.create(call.params.id!, body);
    },
    201,
  ),
  { method: 'POST', pattern: '/exec/{id}/start', hijacks: true, handle: start },
  does(
    'POST',
    '/exec/{id}/resize',
    ({ engine, params, query }) => engine.execs.resize(params.id!, terminalSize(query)),
    200,
  ),
  reads('GET', '/exec/{id}/json', ({ engine, params }) => engine.execs.inspect(params.id!)),
];

async function start(call: Call) {
  const { engine, params, version } = call;
  const id = params.id!;
  const { Detach = false, Tty, ConsoleSize } = (await jsonBody(call, execStartBody)) ?? {};
  const { DetachKeys } = await engine.execs.inspect(id);
  const keys = detachKeys(DetachKeys);
  let connection: Hijacked | undefined;
  let attachment: Attachment | undefined;
  try {
    attachment = await engine.execs.start(id, {
      detach: Detach,
      ...given({ tty: Tty, consoleSize: ConsoleSize }),
      // Clients take all bytes that they read together with the head as part of it, so the program's output
      // must come later.
      ...(!Detach && {
        ready: async () => {
          connection = await call.hijack(streamType({ tty: Tty === true, version }));
        },
      }),
    });
  } catch (error) {
    if (connection === undefined) throw error;
    // Clients print the stream and then ask for the exit code; an HTTP error would give them neither.
    const line = Buffer.from(`${errorAnswer(error).message}\r\n`);
    connection.output.write(Tty ? line : encodeFrame('stderr', line));
    connection.close();
    return undefined;
  }
  if (attachment === undefined || connection === undefined) return empty(200);
  // As in Docker, the client says whether it expects frames, whatever the program has.
  await carry({ attachment, connection, detachKeys: keys, framed: Tty !== true });
  return undefined;
}
