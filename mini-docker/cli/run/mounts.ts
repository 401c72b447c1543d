// Decodes `-v` and `--mount` (https://docs.docker.com/reference/cli/docker/container/run/#mount) for the
// Engine API.

import { decodeCsvLine } from '../../formats/csv.ts';
import type { MountRequest } from '../../formats/engine-api/containers.ts';
import { FormatError } from '../../formats/errors.ts';
import { lookup } from '../../formats/lookup.ts';
import { decodeSize } from '../../formats/sizes.ts';
import { splitAt } from '../../formats/split.ts';
import { readPairs } from '../flags/values.ts';

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

/** What the value of a field says of the mount. */
type Field = (value: string, key: string) => Partial<MountRequest>;

const flag = (value: string, key: string): boolean => {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new FormatError(`invalid value for ${key}: ${value}`);
};

/** Bind options by the value of `bind-recursive`. */
export const RECURSIVE = {
  enabled: {},
  disabled: { NonRecursive: true },
  writable: { ReadOnlyNonRecursive: true },
  readonly: { ReadOnlyForceRecursive: true },
} satisfies Record<string, MountRequest['BindOptions']>;

const FIELDS: Record<string, Field> = {
  type: value => ({ Type: value.toLowerCase() as MountRequest['Type'] }),
  source: value => ({ Source: value }),
  target: value => ({ Target: value }),
  readonly: (value, key) => ({ ReadOnly: flag(value, key) }),
  consistency: value => ({ Consistency: value.toLowerCase() }),
  'bind-propagation': value => ({ BindOptions: { Propagation: value.toLowerCase() } }),
  'bind-nonrecursive': (value, key) => ({ BindOptions: { NonRecursive: flag(value, key) } }),
  'bind-recursive': value => {
    const options = lookup(RECURSIVE, value);
    if (options !== undefined) return { BindOptions: options };
    throw new FormatError(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    );
  },
  'image-subpath': value => ({ ImageOptions: { Subpath: value } }),
  'volume-subpath': value => ({ VolumeOptions: { Subpath: value } }),
  'volume-nocopy': (value, key) => ({ VolumeOptions: { NoCopy: flag(value, key) } }),
  'volume-label': value => ({ VolumeOptions: { Labels: readPairs([value]) } }),
  'volume-driver': value => ({ VolumeOptions: { DriverConfig: { Name: value } } }),
  'volume-opt': value => ({ VolumeOptions: { DriverConfig: { Options: readPairs([value]) } } }),
  'tmpfs-size': (value, key) => {
    try {
      return { TmpfsOptions: { SizeBytes: decodeSize(value) } };
    } catch {
      throw new FormatError(`invalid value for ${key}: ${value}`);
    }
  },
  'tmpfs-mode': (value, key) => {
    if (!/^[0-7]{1,5}$/.test(value)) throw new FormatError(`invalid value for ${key}: ${value}`);
    return { TmpfsOptions: { Mode: Number.parseInt(value, 8) } };
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
  let mount: MountRequest = { Type: 'volume', Target: '' };
  const families = new Set<string>();
  for (const field of decodeCsvLine(text)) {
    const [name, value] = splitAt(field, '=');
    const written = name.toLowerCase();
    const key = lookup(ALIASES, written) ?? written;
    if (value === undefined && !FLAGS.has(key)) {
      throw new FormatError(
        `invalid argument ${JSON.stringify(text)} for "--mount" flag: invalid field '${field}' must be a key=value pair`,
      );
    }
    const decode = lookup(FIELDS, key);
    if (!decode)
      throw new FormatError(
        `invalid argument ${JSON.stringify(text)} for "--mount" flag: unknown option '${written}' in '${field}'`,
      );
    mount = merged(mount, decode(value ?? 'true', key)) as MountRequest;
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

/** Objects are merged at every depth; of other values, the later one counts. */
function merged(before: unknown, later: unknown): unknown {
  if (!isObject(before) || !isObject(later)) return later;
  const own = (name: string) => (Object.hasOwn(before, name) ? Reflect.get(before, name) : undefined);
  const changes = Object.entries(later).map(([name, value]) => [name, merged(own(name), value)]);
  return Object.fromEntries([...Object.entries(before), ...changes]);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
