// Collects the mounts of a container from --volume, --mount, --volumes-from and the image's VOLUMEs. Nothing
// is created here: volumes.ts makes volumes and missing host directories.

import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { ContainerConfig, HostConfig, MountRequest } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import type { RecordMount } from '../state/record.ts';
import { checkNewVolume, checkVolumeOptions } from '../state/volume-store.ts';
import { type Bind, checkedDestination, checkVolumeName, decodeBind, isPropagation } from './bind.ts';
import { checkTmpfsOptions } from './tmpfs-options.ts';

export interface MountSources {
  config: ContainerConfig;
  host: HostConfig;
  /** The mounts of another container, for --volumes-from. Throws when it does not exist. */
  mountsOf(container: string): RecordMount[];
  /** The directory that the volume stands for. `options`: those to create it with, if it does not exist. */
  volumePath(name: string, options: Record<string, string>): string;
  /** The filesystem that the volume stands for, if it stands for one. */
  volumeFilesystem(name: string, options: Record<string, string>): RecordMount['filesystem'];
  newVolumeName(): string;
  /** The id of an image that is to be mounted. */
  imageId(reference: string): string;
}

/**
 * Sorted by depth of the destination, so that a mount inside another one comes after it. @throws
 * badParameter when a request is invalid
 */
export function requestedMounts(sources: MountSources): RecordMount[] {
  const { config, host } = sources;
  const asked = new Map<string, RecordMount>();
  const add = (mount: RecordMount) => {
    if (asked.has(mount.Destination)) throw badParameter(`Duplicate mount point: ${mount.Destination}`);
    asked.set(mount.Destination, mount);
  };
  for (const text of host.Binds ?? []) add(fromBind(decodeBind(text), sources));
  for (const request of host.Mounts ?? []) add(fromRequest(request, sources));
  for (const [destination, options] of Object.entries(host.Tmpfs ?? {})) {
    checkTmpfsOptions(options.split(','));
    const clean = checkedDestination(destination);
    if (asked.has(clean)) throw badParameter(`Duplicate mount point: ${clean}`);
  }
  const mounts = new Map<string, RecordMount>();
  for (const text of host.VolumesFrom ?? []) {
    for (const mount of fromContainer(text, sources)) mounts.set(mount.Destination, mount);
  }
  for (const [destination, mount] of asked) mounts.set(destination, mount);
  for (const path of Object.keys(config.Volumes ?? {})) {
    const destination = checkedDestination(path);
    if (mounts.has(destination) || host.Tmpfs?.[destination] !== undefined) continue;
    mounts.set(
      destination,
      volumeMount(
        { name: undefined, destination, readOnly: false, mode: '', driver: host.VolumeDriver },
        sources,
      ),
    );
  }
  return [...mounts.values()].sort((a, b) => depth(a.Destination) - depth(b.Destination));
}

function fromBind(bind: Bind, sources: MountSources): RecordMount {
  const { destination, readOnly, mode, noCopy } = bind;
  if (bind.isVolume) {
    const driver = sources.host.VolumeDriver;
    return volumeMount(
      { name: bind.source || undefined, destination, readOnly, mode: mode || 'z', noCopy, driver },
      sources,
    );
  }
  return {
    Type: 'bind',
    Source: bind.source,
    Destination: destination,
    Mode: mode,
    RW: !readOnly,
    Propagation: bind.propagation || 'rprivate',
  };
}

/** The mount type that each kind of options is for. */
const OPTIONS = {
  bind: 'BindOptions',
  volume: 'VolumeOptions',
  image: 'ImageOptions',
  tmpfs: 'TmpfsOptions',
} as const;

function fromRequest(request: MountRequest, sources: MountSources): RecordMount {
  const invalid = (why: string) =>
    badParameter(`invalid mount config for type "${request.Type ?? ''}": ${why}`);
  if (!Object.hasOwn(OPTIONS, request.Type)) throw invalid('mount type unknown');
  if (!request.Target) throw invalid('field Target must not be empty');
  for (const [type, field] of Object.entries(OPTIONS)) {
    if (type !== request.Type && request[field]) throw invalid(`field ${field} must not be specified`);
  }
  const destination = checkedDestination(request.Target, invalid);
  const readOnly = request.ReadOnly === true;
  switch (request.Type) {
    case 'bind':
      return fromBindRequest(request, { destination, invalid });
    case 'volume':
      if (request.Source?.startsWith('/')) {
        throw invalid(`invalid mount path: '${request.Source}' is a path; type "bind" takes paths`);
      }
      return fromVolumeRequest(request, { destination, readOnly, invalid, sources });
    case 'image':
      return fromImageRequest(request, { destination, invalid, sources });
    case 'tmpfs':
      if (request.Source) throw invalid('field Source must not be specified');
      return {
        Type: 'tmpfs',
        Source: '',
        Destination: destination,
        Mode: '',
        RW: !readOnly,
        Propagation: '',
        options: tmpfsRequestOptions(request),
      };
    default:
      throw invalid('mount type unknown');
  }
}

function fromVolumeRequest(
  request: MountRequest,
  given: { destination: string; readOnly: boolean; invalid: (why: string) => Error; sources: MountSources },
): RecordMount {
  const { NoCopy, Labels, DriverConfig, Subpath } = request.VolumeOptions ?? {};
  if (Subpath && !request.Source) throw given.invalid('must not set Subpath when using anonymous volumes');
  if (Subpath) checkSubpath(Subpath, given.invalid);
  const options = {
    name: request.Source || undefined,
    destination: given.destination,
    readOnly: given.readOnly,
    mode: 'z',
    noCopy: NoCopy === true,
    driver: DriverConfig?.Name,
    settings: {
      ...(Labels ? { labels: Labels } : {}),
      ...(DriverConfig?.Options ? { options: DriverConfig.Options } : {}),
    },
  };
  const mount = volumeMount(options, given.sources);
  if (Subpath && mount.filesystem)
    throw given.invalid('Subpath is not supported for volumes that the driver mounts (type, device)');
  return { ...mount, ...(Subpath ? { subpath: Subpath } : {}) };
}

/** As in Docker, read-only in any case. */
function fromImageRequest(
  request: MountRequest,
  given: { destination: string; invalid: (why: string) => Error; sources: MountSources },
): RecordMount {
  const { Source = '', ImageOptions: { Subpath } = {} } = request;
  const { destination, invalid, sources } = given;
  if (Source === '') throw invalid('field Source must not be empty');
  if (sources.host.IDMappings)
    throw invalid('a container with a user namespace of its own can mount no images');
  if (Subpath) checkSubpath(Subpath, invalid);
  return {
    Type: 'image',
    Name: Source,
    Source: sources.imageId(Source),
    Destination: destination,
    Mode: '',
    RW: false,
    Propagation: '',
    ...(Subpath ? { subpath: Subpath } : {}),
  };
}

function checkSubpath(path: string, invalid: (why: string) => Error): void {
  if (path.startsWith('/') || /^\.\.(\/|$)/.test(posix.normalize(path)))
    throw invalid('subpath must be a relative path within the volume');
}

function fromBindRequest(
  request: MountRequest,
  options: { destination: string; invalid: (why: string) => Error },
): RecordMount {
  const { destination, invalid } = options;
  const source = request.Source ?? '';
  if (source === '') throw invalid('field Source must not be empty');
  if (!source.startsWith('/')) throw invalid(`invalid mount path: '${source}' mount path must be absolute`);
  const propagation = request.BindOptions?.Propagation ?? '';
  if (!isPropagation(propagation)) throw invalid(`invalid propagation mode: ${propagation}`);
  if (!request.BindOptions?.CreateMountpoint && !existsSync(source)) {
    throw invalid(`bind source path does not exist: ${source}`);
  }
  return {
    Type: 'bind',
    Source: source,
    Destination: destination,
    Mode: '',
    RW: request.ReadOnly !== true,
    Propagation: propagation || 'rprivate',
    ...(request.BindOptions?.NonRecursive ? { nonRecursive: true } : {}),
    ...(request.BindOptions?.ReadOnlyNonRecursive ? { writableBelow: true } : {}),
    ...(request.BindOptions?.CreateMountpoint ? {} : { mustExist: true }),
  };
}

function fromContainer(text: string, sources: MountSources): RecordMount[] {
  const [, container = '', mode = ''] = /^([^:]*):?(.*)$/s.exec(text)!;
  if (container === '') throw badParameter(`invalid volumes-from specification: ${text}`);
  if (!['', 'ro', 'rw', 'z', 'Z'].includes(mode)) throw badParameter(`invalid mode: ${mode}`);
  return sources
    .mountsOf(container)
    .map(mount => ({ ...mount, noCopy: true, RW: mode === 'ro' ? false : mount.RW }));
}

function volumeMount(
  options: {
    name: string | undefined;
    destination: string;
    readOnly: boolean;
    mode: string;
    noCopy?: boolean;
    driver?: string | undefined;
    settings?: NonNullable<RecordMount['volume']>;
  },
  sources: MountSources,
): RecordMount {
  if (options.name !== undefined) checkVolumeName(options.name);
  const name = options.name ?? sources.newVolumeName();
  checkNewVolume(name, options.driver);
  const { settings = {} } = options;
  checkVolumeOptions(name, settings.options ?? {});
  const filesystem = sources.volumeFilesystem(name, settings.options ?? {});
  return {
    Type: 'volume',
    Name: name,
    Source: sources.volumePath(name, settings.options ?? {}),
    Destination: options.destination,
    Driver: 'local',
    Mode: options.mode,
    RW: !options.readOnly,
    Propagation: '',
    ...(filesystem === undefined ? {} : { filesystem }),
    ...(options.name === undefined ? { anonymous: true } : {}),
    ...(options.noCopy ? { noCopy: true } : {}),
    ...(Object.keys(settings).length > 0 ? { volume: settings } : {}),
  };
}

function tmpfsRequestOptions(request: MountRequest): string[] {
  const { SizeBytes, Mode, Options = [] } = request.TmpfsOptions ?? {};
  const options = [
    ...(SizeBytes ? [`size=${SizeBytes}`] : []),
    ...(Mode !== undefined && Mode !== 0 ? [`mode=${Mode.toString(8)}`] : []),
    ...Options.map(words => words.join('=')),
  ];
  checkTmpfsOptions(options);
  return options;
}

function depth(path: string): number {
  return path.split('/').length;
}
