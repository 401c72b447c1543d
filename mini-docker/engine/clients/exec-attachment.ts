// A client attached to an exec.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecCreateBody } from '../../formats/engine-api/containers.ts';
import type { Execution } from '../../runtime/container.ts';
import type { Attachment } from '../core/engine.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { type AttachableRun, AttachedClient } from '../streams/attached-client.ts';

/** Milliseconds that are allowed for output of processes that the program left behind. */
const PATIENCE = 2000;

/**
 * The client's ends of the streams. The output ends only once the exit code is known, so a client that asks
 * for the code next gets it.
 */
export function connectExec(
  context: EngineContext,
  options: { live: LiveContainer; body: ExecCreateBody; execution: Execution; ended: Promise<void> },
): Attachment {
  const { live, body, execution, ended } = options;
  const tty = body.Tty === true;
  const client = new AttachedClient({
    tty,
    stdin: true,
    stdout: body.AttachStdout !== false,
    stderr: body.AttachStderr !== false,
    closesInput: !tty,
    directory: context.paths.container(live.id).directory,
    onDetach: () => {},
  });
  const finished: Promise<void>[] = [];
  const listen: AttachableRun['output']['listen'] = onData => {
    let listens = true;
    for (const tag of ['stdout', 'stderr'] as const) {
      const stream = execution[tag];
      // The program exited without output: its pipe reported the end before a listener was added.
      if (stream === undefined || stream.readableEnded || stream.destroyed) continue;
      // Output is read even without a listener: otherwise a full pipe would block the program.
      stream.on('data', (data: Uint8Array) => {
        if (listens) onData(tag, data);
      });
      finished.push(new Promise(resolve => stream.once('close', resolve).once('end', resolve)));
    }
    return {
      stop: () => {
        listens = false;
      },
    };
  };
  client.connect({ output: { listen }, stdin: execution.stdin });
  void ended.then(async () => {
    await Promise.race([Promise.all(finished), sleep(PATIENCE, undefined, { ref: false })]);
    client.end();
    for (const stream of [execution.stdin, execution.stdout, execution.stderr]) stream?.destroy();
  });
  return client.attachment();
}

/** Discards the output of an exec without a client, so that a full pipe does not block the program. */
export async function drain(attachment: Attachment): Promise<void> {
  for await (const _ of attachment.output);
}
