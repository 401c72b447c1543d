// Waiting for a container's end without missing it.

import type { ContainerWaited } from '../formats/engine-api.ts';
import type { DaemonClient } from './daemon-client.ts';
import { OUR_FAULT } from './errors.ts';
import { printError } from './output.ts';

/**
 * Resolves when the daemon waits, so that a container that is started then cannot end unseen. What comes back
 * resolves with the exit code: of the container, or 125 when its end cannot be known. With `removed` also its
 * removal is waited for.
 */
export async function waitForExit(
  daemon: DaemonClient,
  container: string,
  condition: 'next-exit' | 'removed',
): Promise<{ exitCode: Promise<number> }> {
  const response = await daemon.request('POST', `/containers/${container}/wait`, { query: { condition } });
  const read = async () => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of response.body) chunks.push(chunk);
      const waited = JSON.parse(Buffer.concat(chunks).toString()) as ContainerWaited;
      if (waited.Error?.Message) {
        printError(`mini-docker: error waiting for container: ${waited.Error.Message}`);
        return OUR_FAULT;
      }
      return waited.StatusCode;
    } catch (error) {
      printError(`mini-docker: error waiting for container: ${(error as Error).message}`);
      return OUR_FAULT;
    }
  };
  return { exitCode: read() };
}
