// An image's configuration, under the field names of the OCI image specification (config.md) and of Docker's
// additions to it. Objects from a registry or an archive are hostile: decode before use.

import { FormatError } from '../errors.ts';
import {
  array,
  boolean,
  type Infer,
  integer,
  map,
  object,
  or,
  parse,
  type Schema,
  string,
  strings,
} from '../schema.ts';
import { isDigest } from './digest.ts';

export const healthConfig = object({
  Test: strings,
  /** Nanoseconds, as all durations here. */
  Interval: integer,
  Timeout: integer,
  StartPeriod: integer,
  StartInterval: integer,
  Retries: integer,
});
export type HealthConfig = Infer<typeof healthConfig>;

const places = map<Record<string, never>>(() => ({}));

/** Default settings for containers of the image, which their user can override. */
const processDefaults = object({
  User: string,
  ExposedPorts: places,
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  Volumes: places,
  WorkingDir: string,
  Labels: map(string),
  StopSignal: string,
  StopTimeout: integer,
  Shell: strings,
  OnBuild: strings,
  Healthcheck: healthConfig,
});
export type ProcessDefaults = Infer<typeof processDefaults>;

const history = object({
  created: string,
  author: string,
  created_by: string,
  comment: string,
  empty_layer: boolean,
});
export type History = Infer<typeof history>;

const digest: Schema<string> = (value, where) => {
  const text = string(value, where);
  if (!isDigest(text)) throw new FormatError(`${where} is not a sha256 digest: ${text.slice(0, 80)}`);
  return text;
};

const imageConfig = object(
  { created: string, author: string, variant: string, config: processDefaults, history: array(history) },
  {
    // As in Docker, an image need not say what it is for.
    architecture: or(string, ''),
    os: or(string, 'linux'),
    // docker writes null for an image without layers.
    rootfs: object({}, { type: string as Schema<'layers'>, diff_ids: or(array(digest), []) }),
  },
);
export type ImageConfig = Infer<typeof imageConfig>;

/**
 * Decodes an image configuration, without unknown fields.
 * @throws FormatError naming the first field that is not valid
 */
export function decodeImageConfig(text: string | Uint8Array): ImageConfig {
  const what = 'image configuration';
  const config = parse(text, what, imageConfig);
  if (config.rootfs.type !== 'layers') throw new FormatError(`${what}.rootfs.type must be 'layers'`);
  return config;
}
