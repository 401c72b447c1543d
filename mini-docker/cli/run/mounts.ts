// Decodes `-v` and `--mount` (https://docs.docker.com/reference/cli/docker/container/run/#mount) for the
// Engine API.

import { decodeCsvLine } from '../../formats/csv.ts';
import type { MountRequest } from '../../formats/engine-api/containers.ts';
import { FormatError } from '../../formats/errors.ts';
import { lookup } from '../../formats/lookup.ts';
import { decodeSize } from '../../formats/sizes.ts';

/**
 * `-v [SOURCE:]DESTINATION[:OPTIONS]`: a bind for HostConfig.Binds, or the destination of an anonymous
 * volume. `absolute` resolves a relative source ('./data').
 * @throws FormatError when it is malformed
 */
export function decodeVolume(
  text: string,
  absolute: (path: string) => string,
): { bind: string } | { anonymous: string } {
  const parts = text.split(':');
  if (text === '') throw new FormatError('invalid empty volume spec');
  if (parts.length > 3) throw new FormatError(`invalid spec: ${text}: too many colons`);
  if (parts.length > 1 && parts.some(part => part === '')) {
    throw new FormatError(`invalid spec: ${text}: empty section between colons`);
  }
  if (parts.length === 1) return { anonymous: text };
  const [source, ...rest] = parts as [string, ...string[]];
  const path = source.startsWith('.') ? absolute(source) : source;
  return { bind: [path, ...rest].join(':') };
}

type Field = (mount: MountRequest, value: string, key: string) => void;

const flag = (value: string, key: string): boolean => {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new FormatError(`invalid value for ${key}: ${value}`);
};

const FIELDS: Record<string, Field> = {
  type: (mount, value) => {
    mount.Type = value.toLowerCase() as MountRequest['Type'];
  },
  source: (mount, value) => {
    mount.Source = value;
  },
  target: (mount, value) => {
    mount.Target = value;
  },
  readonly: (mount, value, key) => {
    mount.ReadOnly = flag(value, key);
  },
  consistency: (mount, value) => {
    mount.Consistency = value.toLowerCase();
  },
  'bind-propagation': (mount, value) => bind(mount, { Propagation: value.toLowerCase() }),
  'bind-nonrecursive': (mount, value, key) => bind(mount, { NonRecursive: flag(value, key) }),
  'bind-recursive': (mount, value) => {
    if (value === 'disabled') bind(mount, { NonRecursive: true });
    else if (value === 'writable') bind(mount, { ReadOnlyNonRecursive: true });
    else if (value === 'readonly') bind(mount, { ReadOnlyForceRecursive: true });
    else if (value !== 'enabled') {
      throw new FormatError(
        `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
      );
    }
  },
  'image-subpath': (mount, value) => {
    mount.ImageOptions = { Subpath: value };
  },
  'volume-subpath': (mount, value) => volume(mount, { Subpath: value }),
  'volume-nocopy': (mount, value, key) => volume(mount, { NoCopy: flag(value, key) }),
  'volume-label': (mount, value) =>
    volume(mount, { Labels: { ...mount.VolumeOptions?.Labels, ...keyValue(value) } }),
  'volume-driver': (mount, value) =>
    volume(mount, { DriverConfig: { ...mount.VolumeOptions?.DriverConfig, Name: value } }),
  'volume-opt': (mount, value) => {
    const config = mount.VolumeOptions?.DriverConfig;
    volume(mount, { DriverConfig: { ...config, Options: { ...config?.Options, ...keyValue(value) } } });
  },
  'tmpfs-size': (mount, value, key) => {
    try {
      tmpfs(mount, { SizeBytes: decodeSize(value) });
    } catch {
      throw new FormatError(`invalid value for ${key}: ${value}`);
    }
  },
  'tmpfs-mode': (mount, value, key) => {
    if (!/^[0-7]{1,5}$/.test(value)) throw new FormatError(`invalid value for ${key}: ${value}`);
    tmpfs(mount, { Mode: Number.parseInt(value, 8) });
  },
};

const ALIASES: Record<string, string> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};
/** Keys that may be given without a value, which means true. */
const FLAGS = new Set(['readonly', 'volume-nocopy', 'bind-nonrecursive']);

/**
 * `--mount type=bind,source=…,target=…` → an entry of HostConfig.Mounts. @throws FormatError when it is
 * malformed
 */
export function decodeMount(text: string, absolute: (path: string) => string): MountRequest {
  const mount: MountRequest = { Type: 'volume', Target: '' };
  const families = new Set<string>();
  for (const field of decodeCsvLine(text)) {
    const equals = field.indexOf('=');
    const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const key = lookup(ALIASES, written) ?? written;
    if (equals < 0 && !FLAGS.has(key)) {
      throw new FormatError(
        `invalid argument ${JSON.stringify(text)} for "--mount" flag: invalid field '${field}' must be a key=value pair`,
      );
    }
    const set = lookup(FIELDS, key);
    if (!set)
      throw new FormatError(
        `invalid argument ${JSON.stringify(text)} for "--mount" flag: unknown option '${written}' in '${field}'`,
      );
    set(mount, equals < 0 ? 'true' : field.slice(equals + 1), key);
    const family = /^(bind|volume|image|tmpfs)-/.exec(key)?.[1];
    if (family !== undefined) families.add(family);
  }
  if (mount.Target === '')
    throw new FormatError(`invalid argument ${JSON.stringify(text)} for "--mount" flag: target is required`);
  for (const family of families) {
    if (family !== mount.Type)
      throw new FormatError(`cannot mix '${family}-*' options with mount type '${mount.Type}'`);
  }
  if (mount.Type === 'bind' && mount.Source?.startsWith('.')) mount.Source = absolute(mount.Source);
  return mount;
}

const bind = (mount: MountRequest, options: NonNullable<MountRequest['BindOptions']>) => {
  mount.BindOptions = { ...mount.BindOptions, ...options };
};
const volume = (mount: MountRequest, options: NonNullable<MountRequest['VolumeOptions']>) => {
  mount.VolumeOptions = { ...mount.VolumeOptions, ...options };
};
const tmpfs = (mount: MountRequest, options: NonNullable<MountRequest['TmpfsOptions']>) => {
  mount.TmpfsOptions = { ...mount.TmpfsOptions, ...options };
};

function keyValue(text: string): Record<string, string> {
  const equals = text.indexOf('=');
  return equals < 0 ? { [text]: '' } : { [text.slice(0, equals)]: text.slice(equals + 1) };
}
