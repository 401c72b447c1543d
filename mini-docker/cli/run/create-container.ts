// Creates a container, and pulls its image if necessary: the common part of `run` and `create`.

import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import type { ContainerCreateBody, ContainerCreated } from '../../formats/engine-api/containers.ts';
import type { DaemonClient, RequestOptions } from '../daemon/client.ts';
import { beforeProgram, fileReason, hasStatus, ifThere, OUR_FAULT } from '../errors.ts';
import { refuseContentTrust } from '../flags/content-trust.ts';
import { printError, writeError } from '../show/output.ts';
import type { CreateFlags } from './create-flags.ts';

/** Resolves with the container's id. When it rejects, nothing is left behind. */
export async function createContainer(
  daemon: DaemonClient,
  body: ContainerCreateBody,
  flags: Pick<
    CreateFlags,
    'name' | 'platform' | 'pull' | 'quiet' | 'cidfile' | 'disable-content-trust' | 'kernel-memory'
  > & { starts?: boolean },
): Promise<string> {
  const skip = flags['disable-content-trust'];
  refuseContentTrust({ skip, image: body.Image!, exitCode: OUR_FAULT });
  if (flags['kernel-memory'] !== undefined)
    printError('WARNING: --kernel-memory is discarded: memory of the kernel counts to --memory.');
  const policy = flags.pull || 'missing';
  if (!['missing', 'always', 'never'].includes(policy)) {
    throw beforeProgram(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
  }
  const idFile = flags.cidfile ? openIdFile(flags.cidfile) : undefined;
  try {
    if (policy === 'always') await pull(daemon, body.Image!, flags);
    const options: RequestOptions = {
      // Whoever reads the id in a file may count on the container.
      query: {
        name: flags.name || undefined,
        platform: flags.platform,
        starts: (flags.starts && idFile === undefined) || undefined,
      },
      json: body,
    };
    const create = () => daemon.json<ContainerCreated>('POST', '/containers/create', options);
    let created: ContainerCreated;
    try {
      created = await create();
    } catch (error) {
      if (policy !== 'missing' || !hasStatus(error, 404)) throw error;
      // The missing object may be another container, a network or a volume.
      const path = `/images/${encodeURIComponent(body.Image!)}/json`;
      if ((await ifThere(daemon.text('GET', path))) !== undefined) throw error;
      const { withLatest } = await import('../daemon/images-pull.ts');
      if (!flags.quiet) printError(`Unable to find image '${withLatest(body.Image!)}' locally`);
      await pull(daemon, body.Image!, flags);
      created = await create();
    }
    for (const warning of created.Warnings ?? []) printError(`WARNING: ${warning}`);
    idFile?.write(created.Id);
    return created.Id;
  } catch (error) {
    idFile?.discard();
    throw error;
  }
}

async function pull(
  daemon: DaemonClient,
  image: string,
  flags: Pick<CreateFlags, 'platform' | 'quiet'>,
): Promise<void> {
  const { pullImage } = await import('../daemon/images-pull.ts');
  const terminal = Boolean(process.stderr.isTTY);
  await pullImage(daemon, {
    image,
    platform: flags.platform,
    quiet: flags.quiet,
    show: writeError,
    terminal,
  });
}

function openIdFile(path: string) {
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o644);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw beforeProgram(
      exists
        ? `container ID file found, make sure the other container isn't running or delete ${path}`
        : `failed to create the container ID file: ${path}: ${fileReason(cause)}`,
      cause,
    );
  }
  return {
    write(id: string) {
      writeSync(fd, id);
      closeSync(fd);
    },
    discard() {
      closeSync(fd);
      unlinkSync(path);
    },
  };
}
