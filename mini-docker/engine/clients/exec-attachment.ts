// A client attached to an exec.

import type { ExecCreateBody } from '../../formats/engine-api/containers.ts';
import type { Execution } from '../../runtime/container.ts';
import type { Attachment } from '../core/engine.ts';
import type { EngineContext } from '../state/context.ts';
import { write } from '../streams/attached-client.ts';
import type { OutputStream } from '../streams/json-file-log.ts';
import { SpillQueue } from '../streams/spill-queue.ts';

/** How long output may still come from processes that the program left behind. Milliseconds. */
const PATIENCE = 2000;

/** The client's ends. Its output ends after the exit code is known, so that a client that then asks for it gets it. */
export function connectExec(
  context: EngineContext,
  options: { body: ExecCreateBody; execution: Execution; ended: Promise<void> },
): Attachment {
  const { body, execution, ended } = options;
  const queue = new SpillQueue<OutputStream>({
    tags: ['stdout', 'stderr'],
    directory: context.paths.runDir,
  });
  const finished = (['stdout', 'stderr'] as const).map(tag => {
    const stream = execution[tag];
    // A program that wrote nothing and is over already: its pipe's end was told before anybody could listen.
    if (stream === undefined || stream.readableEnded || stream.destroyed) return Promise.resolve();
    const wanted = tag === 'stdout' || body.Tty ? body.AttachStdout !== false : body.AttachStderr !== false;
    stream.on('data', (data: Uint8Array) => {
      if (wanted) queue.push(tag, data);
    });
    return new Promise<void>(resolve => stream.once('close', resolve).once('end', resolve));
  });
  void ended.then(async () => {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, PATIENCE);
    await Promise.race([Promise.all(finished), late]);
    clearTimeout(timer);
    queue.end();
    for (const stream of [execution.stdin, execution.stdout, execution.stderr]) stream?.destroy();
  });
  return {
    tty: body.Tty === true,
    output: (async function* () {
      for await (const { tag, data } of queue) yield { stream: tag, data };
    })(),
    write: data => write(execution.stdin, data),
    endInput: () => {
      if (!body.Tty) execution.stdin?.end();
    },
    detach: () => {
      if (!body.Tty) execution.stdin?.end();
      queue.discard();
    },
  };
}

/** For an exec that nobody is attached to: its output goes nowhere, and must not hold it up. */
export async function drain(attachment: Attachment): Promise<void> {
  for await (const _ of attachment.output);
}
