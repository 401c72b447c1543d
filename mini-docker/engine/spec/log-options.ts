// --log-driver and --log-opt.

import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { ExpectedError } from '../../formats/errors.ts';
import { badParameter } from '../core/errors.ts';

export interface LogOptions {
  /** Whether output is kept: json-file keeps it. */
  keeps: boolean;
  maxSize?: number;
  maxFiles: number;
}

const KNOWN = new Set([
  'max-size',
  'max-file',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'compress',
]);
const UNITS: Record<string, number> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** @throws badParameter when a driver or an option is unknown or invalid */
export function decodeLogOptions(host: HostConfig): LogOptions {
  const driver = host.LogConfig?.Type || 'json-file';
  const options = host.LogConfig?.Config ?? {};
  if (driver === 'none') return { keeps: false, maxFiles: 1 };
  if (driver !== 'json-file') {
    throw badParameter(
      `logger: no log driver named '${driver}' is registered (this engine has 'json-file' and 'none')`,
    );
  }
  for (const key of Object.keys(options)) {
    if (!KNOWN.has(key)) throw badParameter(`unknown log opt '${key}' for json-file log driver`);
  }
  if (options.compress === 'true') {
    throw new ExpectedError(
      'notImplemented',
      "log opt 'compress' is not supported: rotated files stay as they are",
    );
  }
  const maxSize = options['max-size'] === undefined ? undefined : size(options['max-size']);
  const maxFiles = options['max-file'] === undefined ? 1 : count(options['max-file']);
  return { keeps: true, ...(maxSize === undefined ? {} : { maxSize }), maxFiles };
}

/** Bytes: '10m' → 10485760; undefined for '-1', which is no limit. */
function size(text: string): number | undefined {
  if (text === '-1') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text);
  const bytes = match ? Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!) : 0;
  if (bytes <= 0) throw badParameter(`invalid size for max-size: '${text}'`);
  return bytes;
}

function count(text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number < 1) throw badParameter(`max-file cannot be less than 1: '${text}'`);
  return number;
}
