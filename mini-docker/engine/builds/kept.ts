// `build --rm=false`: the containers of a build's steps stay, to be looked into, committed or started again.

import { renameSync, rmdirSync } from 'node:fs';
import type { KeptContainer } from '../../build/workspace.ts';
import { draftRecord } from '../life/create.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import { LiveContainer } from '../state/live-container.ts';
import { type ContainerRecord, CREATED } from '../state/record.ts';
import { createRecord } from '../state/record-file.ts';

/** Makes a container of a finished step; it takes over the step's writable layer. */
export function keepContainer(context: EngineContext, kept: KeptContainer): void {
  const { containers, paths, records } = context;
  const { id, image, args, host, ran } = kept;
  const name = containers.reserveName(undefined, id);
  try {
    const body = { Image: image.id, Entrypoint: [], Cmd: args, HostConfig: host };
    const record: ContainerRecord = {
      ...draftRecord(context, { id, name, image, body }),
      // The layer contains the files that RUN writes to a volume of the image.
      mounts: [],
      ...(ran && { state: { ...CREATED, status: 'exited', startedBefore: true, ...ran.state } }),
    };
    createRecord(paths, record);
    if (ran !== undefined) {
      const { upperdir } = paths.container(id);
      rmdirSync(upperdir);
      renameSync(ran.upperdir, upperdir);
    }
    records.syncLater(id);
    const container = new LiveContainer(record);
    containers.add(container);
    if (ran === undefined) containerEvent(context, container, 'create');
  } catch (error) {
    containers.releaseName(name, id);
    throw error;
  }
}
