// A container whose record cannot be read: it may be running, it has files, and its owner wants to inspect,
// stop and remove it. This builds a substitute record from other sources. The container cannot be started
// again.

import { statSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Spec } from '../../formats/oci/runtime-spec.ts';
import { quietly } from '../../formats/quietly.ts';
import { encodeTimestamp, NEVER_TIME } from '../../formats/timestamp.ts';
import { readRegular } from '../../linux/kept-file.ts';
import type { DataPaths } from '../core/paths.ts';
import { NAME } from './names.ts';
import type { ContainerRecord, RecordMount } from './record.ts';

/** @param why a description of the fault in the record */
export function brokenRecord(paths: DataPaths, id: string, why: string): ContainerRecord {
  const spec = runningSpec(paths, id);
  const [path = '', ...args] = spec?.process?.args ?? [];
  return {
    version: 1,
    id,
    name: nameIn(paths, id) ?? `broken-${id.slice(0, 12)}`,
    created: createdAt(paths.container(id).directory),
    broken: why,
    path,
    args,
    config: { Image: '', Cmd: path === '' ? [] : [path, ...args] },
    hostConfig: { NetworkMode: 'none', LogConfig: { Type: 'json-file', Config: {} } },
    imageId: '',
    mounts: mountsOf(paths, spec),
    networks: {},
    state: {
      // The state of its processes, which recovery examines next, decides whether it is running.
      status: 'exited',
      pid: 0,
      exitCode: 255,
      exitUnknown: true,
      error: `its record cannot be read: ${why}`,
      oomKilled: false,
      startedAt: NEVER_TIME,
      finishedAt: NEVER_TIME,
      restartCount: 0,
      manuallyStopped: false,
      startedBefore: true,
    },
  };
}

function createdAt(directory: string): string {
  const { birthtimeMs } = statSync(directory);
  return encodeTimestamp(BigInt(Math.floor(birthtimeMs)) * 1_000_000n);
}

/** A minimal spec, enough to stop a container and read its output; nothing can be executed in it. */
export function lostSpec(cgroupsPath: string): Spec {
  return {
    ociVersion: '1.2.0',
    process: { args: [], cwd: '/', env: [], user: { uid: 0, gid: 0 } },
    root: { path: '/' },
    mounts: [],
    linux: { cgroupsPath, namespaces: [] },
  };
}

/** Searches the record's text for the name: id and name come first, so even a truncated record has them. */
function nameIn(paths: DataPaths, id: string): string | undefined {
  const { config } = paths.container(id);
  for (const file of [config, `${config}.broken`, `${config}.last`]) {
    try {
      const name = /"name":"([^"]{1,255})"/.exec(readRegular(file).toString('latin1', 0, 4096))?.[1];
      if (name !== undefined && NAME.test(name)) return name;
    } catch {
      // The next file may have it.
    }
  }
  return undefined;
}

/** The spec of the running program, if it runs. */
function runningSpec(paths: DataPaths, id: string): Partial<Spec> | undefined {
  return quietly(() => JSON.parse(readRegular(join(paths.container(id).run, 'spec.json')).toString()));
}

/** Volumes that a running container has mounted, and which therefore must not be removed. */
function mountsOf(paths: DataPaths, spec: Partial<Spec> | undefined): RecordMount[] {
  const prefix = paths.volumes + sep;
  return (spec?.mounts ?? []).flatMap(({ source = '', destination }): RecordMount[] => {
    if (!source.startsWith(prefix)) return [];
    const Name = source.slice(prefix.length).split(sep, 1)[0]!;
    return [
      { Type: 'volume', Name, Source: source, Destination: destination, Mode: '', RW: true, Propagation: '' },
    ];
  });
}
