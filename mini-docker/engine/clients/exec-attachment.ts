// The streams of an exec, and the client that is attached to it.
import type { ExecCreateBody } from '../../formats/engine-api/containers.ts';
import type { Execution } from '../../runtime/container.ts';
import type { Attachment } from '../core/engine.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { AttachedClient } from '../streams/attached-client.ts';
import { ContainerOutput } from '../streams/output.ts';

/** Milliseconds that are allowed for output of processes that the program left behind. */
const PATIENCE = 2000;

/**
 * Reads the exec's output, with or without a client: otherwise a full pipe would block the program. The output ends only
 * once the exit code is known, so a client that asks for the code next gets it.
 * @returns the client's ends of the streams
 */
export function connectExec(
  context: EngineContext,
  options: { live: LiveContainer; body: ExecCreateBody; execution: Execution; ended: Promise<void> },
): Attachment {
  const { live, body, execution, ended } = options;
  const { directory } = context.paths.container(live.id);
  const warn = (message: string) => context.warn(`exec in ${live.name}: ${message}`);
  const output = new ContainerOutput({ descriptors: execution.outputs, directory, log: undefined, warn });
  void ended.then(async () => {
    await output.finish(PATIENCE);
    output.close({ ended: true });
    execution.close();
  });
  const tty = body.Tty === true;
  const client = new AttachedClient({
    tty,
    stdin: true,
    stdout: body.AttachStdout !== false,
    stderr: body.AttachStderr !== false,
    closesInput: !tty,
    directory,
    onDetach: () => {},
  });
  client.connect({ output, stdin: execution.stdin });
  return client.attachment();
}
