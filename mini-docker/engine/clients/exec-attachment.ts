// A client attached to an exec.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecCreateBody } from '../../formats/engine-api/containers.ts';
import type { Execution } from '../../runtime/container.ts';
import type { Attachment } from '../core/engine.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { type AttachableRun, AttachedClient } from '../streams/attached-client.ts';

/** How long output may still come from processes that the program left behind. Milliseconds. */
const PATIENCE = 2000;

/** The client's ends. Its output ends after the exit code is known, so that a client that then asks for it gets it. */
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
      // A program that wrote nothing and is over already: its pipe's end was told before anybody could listen.
      if (stream === undefined || stream.readableEnded || stream.destroyed) continue;
      // Also what nobody listens to is read: it must not hold the program up.
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

/** For an exec that nobody is attached to: its output goes nowhere, and must not hold it up. */
export async function drain(attachment: Attachment): Promise<void> {
  for await (const _ of attachment.output);
}
