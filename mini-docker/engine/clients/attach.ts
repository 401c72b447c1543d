// POST /containers/ID/attach

import { conflict } from '../../formats/errors.ts';
import type { Attachment, AttachOptions } from '../core/engine.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { AttachedClient } from '../streams/attached-client.ts';
import { readLog } from '../streams/log-reader.ts';

/** Attaches a client, even before the program starts: `docker run` attaches first, to miss no output. */
export async function attachClient(
  context: EngineContext,
  live: LiveContainer,
  options: AttachOptions,
): Promise<Attachment> {
  const { config, state } = live.record;
  if (state.status === 'paused') {
    throw conflict(`container ${live.name} is paused. Unpause the container before attach`);
  }
  if (state.status === 'restarting') {
    throw conflict(`container ${live.name} is restarting. Wait until it is running before attach`);
  }
  const client = new AttachedClient({
    tty: config.Tty === true,
    stdin: options.stdin && config.OpenStdin === true,
    stdout: options.stdout,
    stderr: options.stderr,
    closesInput: config.StdinOnce === true && config.Tty !== true,
    directory: context.paths.container(live.id).directory,
    onDetach: gone => void live.clients.delete(gone),
  });
  // The log first, then new output: no turn of the event loop may come between the two.
  const history = options.logs ? pastOutput(context, live, options) : undefined;
  if (options.stream) {
    live.clients.add(client);
    const { run } = live;
    if (run) client.connect({ output: run.output, stdin: run.container.stdin });
  } else {
    client.end();
  }
  containerEvent(context, live, 'attach');
  const attachment = client.attachment();
  return history === undefined ? attachment : { ...attachment, output: both(history, attachment.output) };
}

/** The log's present content, and the bytes of an unfinished line, which are not logged yet. */
function pastOutput(
  context: EngineContext,
  live: LiveContainer,
  options: AttachOptions,
): Attachment['output'] {
  const wanted = (stream: string) => (stream === 'stdout' ? options.stdout : options.stderr);
  const log = live.run?.output.log;
  const rests = live.run?.output.beginnings() ?? [];
  const lines = readLog({
    path: context.paths.container(live.id).log,
    ...(log === undefined ? {} : { upTo: log.position }),
  });
  return (async function* () {
    for await (const { stream, data } of lines) if (wanted(stream)) yield { stream, data };
    for (const { stream, data } of rests) if (wanted(stream)) yield { stream, data };
  })();
}

async function* both(first: Attachment['output'], second: Attachment['output']): Attachment['output'] {
  yield* first;
  yield* second;
}
