// Engine.volumes: the clients' operations on volumes.

import { randomBytes } from 'node:crypto';
import type { Filters } from '../../formats/engine-api/system.ts';
import {
  ANONYMOUS_LABEL,
  type VolumeCreateBody,
  type VolumeResource,
  type VolumesPruned,
} from '../../formats/engine-api/volumes.ts';
import { conflict, type ExpectedError, notFound, notImplemented } from '../../formats/errors.ts';
import { matchesLabels } from '../../formats/filters.ts';
import type { VolumesApi } from '../core/engine.ts';
import { checkFilterKeys, filterTruth } from '../core/filter-values.ts';
import { treeSize } from '../files/disk-sizes.ts';
import { checkVolumeName } from '../spec/bind.ts';
import type { EngineContext } from '../state/context.ts';
import { checkNewVolume, checkVolumeOptions, type Volume } from '../state/volume-store.ts';
import { usersOf, volumeEvent } from './volumes.ts';

export function volumesApi(context: EngineContext): VolumesApi {
  const { volumes } = context;
  return {
    async list(filters = {}) {
      const isWanted = listFilter(context, filters);
      const found = volumes.list().filter(isWanted);
      return { Volumes: found.map(each => volumeResource(context, each)), Warnings: null };
    },
    create: body => createVolume(context, body),
    async inspect(name) {
      const volume = volumes.find(name);
      if (volume === undefined) throw noSuchVolume('get', name);
      return volumeResource(context, volume);
    },
    async remove(name, { force = false } = {}) {
      using _held = await volumes.acquire(name);
      if (volumes.find(name) === undefined) {
        if (force) return;
        throw noSuchVolume('get', name);
      }
      const users = usersOf(context, name);
      if (users.length > 0) {
        throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
      }
      await volumes.remove(name);
      volumeEvent(context, 'destroy', { name });
    },
    prune: filters => pruneVolumes(context, filters),
  };
}

export function volumeResource(context: EngineContext, volume: Volume): VolumeResource {
  const { name, created, labels, options } = volume;
  const orNull = (map: Record<string, string>) => (Object.keys(map).length > 0 ? map : null);
  return {
    CreatedAt: created,
    Driver: 'local',
    Labels: orNull(labels),
    Mountpoint: context.volumes.dataPath(name),
    Name: name,
    Options: orNull(options),
    Scope: 'local',
  };
}

/** Returns an existing volume unchanged, as docker does. */
async function createVolume(context: EngineContext, body: VolumeCreateBody): Promise<VolumeResource> {
  const { volumes } = context;
  const name = body.Name || randomBytes(32).toString('hex');
  checkVolumeName(name);
  checkNewVolume(name, body.Driver);
  const options = body.DriverOpts ?? {};
  checkVolumeOptions(name, options);
  if (body.ClusterVolumeSpec) throw notImplemented('cluster volumes belong to swarm mode');
  using _held = await volumes.acquire(name);
  const existing = volumes.find(name);
  if (existing !== undefined) {
    volumes.restore(name);
    return volumeResource(context, existing);
  }
  const labels = { ...(body.Name ? {} : { [ANONYMOUS_LABEL]: '' }), ...body.Labels };
  const volume = volumes.create(name, { labels, options });
  volumeEvent(context, 'create', { name });
  await volumes.settled();
  return volumeResource(context, volume);
}

/** Removes unused volumes: anonymous ones, and with the filter all=true named ones too. */
async function pruneVolumes(context: EngineContext, filters: Filters = {}): Promise<VolumesPruned> {
  checkFilterKeys(filters, ['all', 'label', 'label!']);
  const all = filterTruth(filters, 'all') === true;
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const volume of context.volumes.list()) {
    const { name, labels } = volume;
    if (!all && !Object.hasOwn(labels, ANONYMOUS_LABEL)) continue;
    if (!matchesLabels(labels, filters)) continue;
    using _held = await context.volumes.acquire(name);
    if (context.volumes.find(name) !== volume || usersOf(context, name).length > 0) continue;
    // The host directory that it binds belongs to the user, and stays.
    reclaimed += await treeSize(context.volumes.dataPath(name));
    await context.volumes.remove(name);
    deleted.push(name);
    volumeEvent(context, 'destroy', { name });
  }
  context.events.emit('volume', 'prune', { id: '', attributes: { reclaimed: String(reclaimed) } });
  return { VolumesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}

function listFilter(context: EngineContext, filters: Filters): (volume: Volume) => boolean {
  checkFilterKeys(filters, ['dangling', 'driver', 'label', 'label!', 'name']);
  const dangling = filterTruth(filters, 'dangling');
  const any = (values: string[] | undefined, test: (value: string) => boolean) =>
    !values?.length || values.some(test);
  return ({ name, labels }) =>
    any(filters.driver, value => value === 'local') &&
    any(filters.name, value => name.includes(value)) &&
    matchesLabels(labels, filters) &&
    (dangling === undefined || dangling === (usersOf(context, name).length === 0));
}

function noSuchVolume(doing: string, name: string): ExpectedError {
  return notFound(`${doing} ${name}: no such volume`);
}
