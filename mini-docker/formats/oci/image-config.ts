// An image's configuration, under the field names of the OCI image specification (config.md) and of Docker's
// additions to it. Objects from a registry or an archive are hostile: decode before use.

import { FormatError } from '../errors.ts';
import {
  array,
  boolean,
  integer,
  map,
  object,
  optional,
  parseObject,
  present,
  string,
  strings,
} from '../json-fields.ts';
import { isDigest } from './digest.ts';

export interface ImageConfig {
  created?: string;
  author?: string;
  architecture: string;
  os: string;
  variant?: string;
  config?: ProcessDefaults;
  rootfs: { type: 'layers'; diff_ids: string[] };
  history?: History[];
}

/** What containers of the image start with, as far as their user does not say otherwise. */
export interface ProcessDefaults {
  User?: string;
  ExposedPorts?: Record<string, Record<string, never>>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Volumes?: Record<string, Record<string, never>>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  StopTimeout?: number;
  Shell?: string[];
  OnBuild?: string[];
  Healthcheck?: {
    Test?: string[];
    Interval?: number;
    Timeout?: number;
    StartPeriod?: number;
    StartInterval?: number;
    Retries?: number;
  };
}

export interface History {
  created?: string;
  author?: string;
  created_by?: string;
  comment?: string;
  empty_layer?: boolean;
}

/** Reads an image configuration. Fields that are not known here are left out. Throws FormatError, which names the field. */
export function decodeImageConfig(text: string | Uint8Array): ImageConfig {
  const what = 'image configuration';
  const fields = parseObject(text, what);
  const rootfs = object(fields.rootfs, `${what}.rootfs`);
  if (rootfs.type !== 'layers') throw new FormatError(`${what}.rootfs.type must be 'layers'`);
  return present<ImageConfig>({
    created: optional(fields, 'created', what, string),
    author: optional(fields, 'author', what, string),
    architecture: string(fields.architecture, `${what}.architecture`),
    os: string(fields.os, `${what}.os`),
    variant: optional(fields, 'variant', what, string),
    config: optional(fields, 'config', what, decodeProcessDefaults),
    // docker writes null for an image without layers.
    rootfs: { type: 'layers', diff_ids: array(rootfs.diff_ids ?? [], `${what}.rootfs.diff_ids`, digest) },
    history: optional(fields, 'history', what, (value, where) => array(value, where, decodeHistory)),
  });
}

function digest(value: unknown, where: string): string {
  const text = string(value, where);
  if (!isDigest(text)) throw new FormatError(`${where} is not a sha256 digest: ${text.slice(0, 80)}`);
  return text;
}

const emptyObjects = (value: unknown, where: string): Record<string, Record<string, never>> =>
  map(value, where, () => ({}));

/** A config's `config`; also what the API's clients send as a container's. */
function decodeProcessDefaults(value: unknown, where: string): ProcessDefaults {
  const fields = object(value, where);
  return present<ProcessDefaults>({
    User: optional(fields, 'User', where, string),
    ExposedPorts: optional(fields, 'ExposedPorts', where, emptyObjects),
    Env: optional(fields, 'Env', where, strings),
    Entrypoint: optional(fields, 'Entrypoint', where, strings),
    Cmd: optional(fields, 'Cmd', where, strings),
    Volumes: optional(fields, 'Volumes', where, emptyObjects),
    WorkingDir: optional(fields, 'WorkingDir', where, string),
    Labels: optional(fields, 'Labels', where, (labels, at) => map(labels, at, string)),
    StopSignal: optional(fields, 'StopSignal', where, string),
    StopTimeout: optional(fields, 'StopTimeout', where, integer),
    Shell: optional(fields, 'Shell', where, strings),
    OnBuild: optional(fields, 'OnBuild', where, strings),
    Healthcheck: optional(fields, 'Healthcheck', where, decodeHealthcheck),
  });
}

function decodeHealthcheck(value: unknown, where: string): NonNullable<ProcessDefaults['Healthcheck']> {
  const fields = object(value, where);
  return present<NonNullable<ProcessDefaults['Healthcheck']>>({
    Test: optional(fields, 'Test', where, strings),
    Interval: optional(fields, 'Interval', where, integer),
    Timeout: optional(fields, 'Timeout', where, integer),
    StartPeriod: optional(fields, 'StartPeriod', where, integer),
    StartInterval: optional(fields, 'StartInterval', where, integer),
    Retries: optional(fields, 'Retries', where, integer),
  });
}

function decodeHistory(value: unknown, where: string): History {
  const fields = object(value, where);
  return present<History>({
    created: optional(fields, 'created', where, string),
    author: optional(fields, 'author', where, string),
    created_by: optional(fields, 'created_by', where, string),
    comment: optional(fields, 'comment', where, string),
    empty_layer: optional(fields, 'empty_layer', where, boolean),
  });
}
