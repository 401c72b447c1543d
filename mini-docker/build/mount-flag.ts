// Decodes the value of RUN --mount: pure.

import { decodeCsvLine } from '../formats/csv.ts';
import { FormatError } from '../formats/errors.ts';
import { lookup } from '../formats/lookup.ts';
import { decodeSize } from '../formats/sizes.ts';
import { splitAt } from '../formats/split.ts';
import { meant } from '../formats/typo.ts';
import type { Sharing } from './cache-mounts.ts';
import { BuildError } from './errors.ts';

export interface MountRequest {
  type: 'bind' | 'cache' | 'tmpfs' | 'secret';
  target: string;
  hasTarget: boolean;
  source: string;
  from?: string;
  readonly: boolean;
  id: string;
  sharing: Sharing;
  required: boolean;
  /** Name of the environment variable that holds a secret. */
  env?: string;
  /** Size of a tmpfs, in bytes. */
  size?: number;
  mode?: number;
  uid: number;
  gid: number;
}

const KEYS: Readonly<Record<MountRequest['type'], readonly string[]>> = {
  bind: ['target', 'source', 'from', 'readonly', 'readwrite'],
  cache: ['id', 'target', 'source', 'from', 'readonly', 'readwrite', 'sharing', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
  secret: ['id', 'target', 'required', 'env', 'mode', 'uid', 'gid'],
};

const ALIASES: Readonly<Record<string, string>> = {
  dst: 'target',
  destination: 'target',
  src: 'source',
  ro: 'readonly',
  rw: 'readwrite',
};

/** Decodes 'type=cache,target=/root/.cache'. @throws BuildError when the value is wrong */
export function decodeMount(text: string): MountRequest {
  const wrong = (why: string) => new BuildError(`invalid --mount=${text}: ${why}`);
  const fields = new Map<string, string>();
  for (const part of parts(text, wrong)) {
    const [written, value = 'true'] = splitAt(part, '=');
    const key = written.toLowerCase();
    fields.set(lookup(ALIASES, key) ?? key, value);
  }
  const type = fields.get('type') ?? 'bind';
  if (type === 'ssh') throw wrong('ssh is not supported: give a key as a secret');
  if (!Object.hasOwn(KEYS, type)) {
    throw wrong(`the type is bind, cache, tmpfs or secret, not ${JSON.stringify(type)}`);
  }
  const known = KEYS[type as MountRequest['type']];
  for (const key of fields.keys()) {
    if (key === 'type' || known.includes(key)) continue;
    const guess = meant(key, known);
    throw wrong(
      `a mount of type ${type} has no ${key}${guess === undefined ? '' : `; did you mean ${guess}?`}`,
    );
  }
  const boolean = (key: string, initial: boolean): boolean => {
    const value = fields.get(key);
    if (value === undefined) return initial;
    if (!['true', 'false', '1', '0'].includes(value)) throw wrong(`${key} is true or false`);
    return value === 'true' || value === '1';
  };
  const number = (key: string, base: 8 | 10): number | undefined => {
    const value = fields.get(key);
    if (value === undefined) return undefined;
    if (!(base === 8 ? /^[0-7]{1,5}$/ : /^\d{1,9}$/).test(value)) throw wrong(`${key} is no number`);
    return Number.parseInt(value, base);
  };
  const isSecret = type === 'secret';
  const target = fields.get('target');
  const id = fields.get('id') ?? (isSecret ? target?.split('/').at(-1) : target);
  if (isSecret && !id) throw wrong('a secret needs an id or a target');
  if (!isSecret && !target) throw wrong('the target is missing: target=PATH');
  const sharing = fields.get('sharing') ?? 'shared';
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked') {
    throw wrong('sharing is shared, private or locked');
  }
  const size = fields.get('size');
  const mode = number('mode', 8);
  const from = fields.get('from');
  const env = fields.get('env');
  return {
    type: type as MountRequest['type'],
    target: target || `/run/secrets/${id}`,
    hasTarget: target !== undefined,
    source: fields.get('source') ?? '/',
    ...(from === undefined ? {} : { from }),
    readonly: boolean('readonly', type === 'bind') && !boolean('readwrite', false),
    id: id!,
    sharing,
    required: boolean('required', false),
    ...(env === undefined ? {} : { env }),
    ...(size === undefined ? {} : { size: sizeOf(size, wrong) }),
    ...(mode === undefined ? {} : { mode }),
    uid: number('uid', 10) ?? 0,
    gid: number('gid', 10) ?? 0,
  };
}

function sizeOf(text: string, wrong: (why: string) => BuildError): number {
  try {
    return decodeSize(text);
  } catch (cause) {
    if (cause instanceof FormatError) throw wrong(cause.message);
    throw cause;
  }
}

function parts(text: string, wrong: (why: string) => BuildError): string[] {
  try {
    return decodeCsvLine(text);
  } catch (cause) {
    if (cause instanceof FormatError) throw wrong(cause.message);
    throw cause;
  }
}
