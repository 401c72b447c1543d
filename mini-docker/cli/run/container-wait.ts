// Waits for a container to exit without missing it.

import type { ContainerWaited } from '../../formats/engine-api/containers.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { collected } from '../daemon/http-connection.ts';
import { OUR_FAULT } from '../errors.ts';
import { printError } from '../show/output.ts';

export interface Wait {
  /** Settles when the condition is met, and never rejects. */
  ended: Promise<unknown>;
  /** The container's exit code; 125, and a line on stderr, when it cannot be known. */
  exitCode(): Promise<number>;
}

/**
 * Resolves once the daemon is waiting, so that an exit after a later start cannot be missed. With `removed`,
 * waits for the container's removal, too.
 */
export async function waitForExit(
  daemon: DaemonClient,
  container: string,
  condition: 'next-exit' | 'removed',
): Promise<Wait> {
  const response = await daemon.request('POST', `/containers/${container}/wait`, { query: { condition } });
  const read = async (): Promise<ContainerWaited> => {
    try {
      return JSON.parse((await collected(response.body)).toString()) as ContainerWaited;
    } catch (error) {
      return { StatusCode: OUR_FAULT, Error: { Message: (error as Error).message } };
    }
  };
  const ended = read();
  return {
    ended,
    async exitCode() {
      const { StatusCode, Error: problem } = await ended;
      if (!problem?.Message) return StatusCode;
      printError(`mini-docker: error waiting for container: ${problem.Message}`);
      return OUR_FAULT;
    },
  };
}
