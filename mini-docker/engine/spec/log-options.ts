// --log-driver and --log-opt.

import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';

export interface LogOptions {
  /** Whether output is kept. */
  keeps: boolean;
  maxSize?: number;
  maxFiles: number;
}

/** The drivers, with the options that each knows. */
const DRIVERS: Record<string, ReadonlySet<string>> = {
  'json-file': new Set([
    'max-size',
    'max-file',
    'labels',
    'labels-regex',
    'env',
    'env-regex',
    'tag',
    'compress',
  ]),
  local: new Set(['max-size', 'max-file', 'compress']),
  none: new Set(),
};
export const LOG_DRIVERS = Object.keys(DRIVERS);

/**
 * Docker's limits for `local`, here for json-file as well, where Docker has none: a program that writes without end
 * must not fill the disk.
 */
const DEFAULT_SIZE = 20 * 1024 ** 2;
const DEFAULT_FILES = 5;

/** Docker's other drivers, which send lines elsewhere. */
const OF_DOCKER = new Set([
  'awslogs',
  'fluentd',
  'gcplogs',
  'gelf',
  'journald',
  'logentries',
  'splunk',
  'syslog',
]);

const UNITS: Record<string, number> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** @throws badParameter when a driver or an option is unknown or invalid */
export function decodeLogOptions(host: HostConfig): LogOptions {
  const driver = host.LogConfig?.Type || 'json-file';
  const options = host.LogConfig?.Config ?? {};
  const known = DRIVERS[driver];
  if (known === undefined) {
    throw badParameter(
      OF_DOCKER.has(driver)
        ? `failed to initialize logging driver: ${driver} is not supported: use json-file, local or none`
        : `error looking up logging plugin ${driver}: plugin "${driver}" not found`,
    );
  }
  checkMode(options);
  if (driver === 'none') return { keeps: false, maxFiles: 1 };
  for (const key of Object.keys(options)) {
    if (!known.has(key) && !OF_ALL.has(key))
      throw badParameter(`unknown log opt '${key}' for ${driver} log driver`);
  }
  const { compress = 'false' } = options;
  if (!TRUE.test(compress) && !FALSE.test(compress))
    throw badParameter(`invalid value for compress: '${compress}' (it is true or false)`);
  const maxSize = options['max-size'] === undefined ? DEFAULT_SIZE : size(options['max-size']);
  // A json-file that is told its size keeps, as in Docker, one file.
  const isToldSize = driver === 'json-file' && options['max-size'] !== undefined;
  const maxFiles =
    options['max-file'] === undefined ? (isToldSize ? 1 : DEFAULT_FILES) : count(options['max-file']);
  return { keeps: true, ...(maxSize === undefined ? {} : { maxSize }), maxFiles };
}

/** As strconv.ParseBool in Go. */
const TRUE = /^(?:1|t|T|TRUE|true|True)$/;
const FALSE = /^(?:0|f|F|FALSE|false|False)$/;

/** Options that Docker has for every driver. */
const OF_ALL: ReadonlySet<string> = new Set(['mode', 'max-buffer-size']);

function checkMode({ mode = 'blocking', 'max-buffer-size': buffer }: Record<string, string>): void {
  if (mode !== 'blocking' && mode !== 'non-blocking')
    throw badParameter(`logger: logging mode not supported: ${mode}`);
  if (buffer === undefined) return;
  if (mode === 'blocking')
    throw badParameter("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  size(buffer, 'max-buffer-size');
}

/** What the user asked for, and the drivers here, which write to files of this machine, do not do. */
export function logWarnings({ LogConfig }: HostConfig): string[] {
  const { mode, compress = 'false' } = LogConfig?.Config ?? {};
  return [
    ...(mode === 'non-blocking'
      ? ['The log option mode=non-blocking has no effect: no output is dropped, and a program may wait.']
      : []),
    ...(TRUE.test(compress)
      ? ['The log option compress has no effect: rotated files stay as they are.']
      : []),
  ];
}

/** Bytes: '10m' → 10485760; undefined for '-1', which is no limit. */
function size(text: string, option = 'max-size'): number | undefined {
  if (text === '-1') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text);
  const bytes = match ? Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!) : 0;
  if (bytes <= 0) throw badParameter(`invalid size for ${option}: '${text}'`);
  return bytes;
}

function count(text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number < 1) throw badParameter(`max-file cannot be less than 1: '${text}'`);
  return number;
}
