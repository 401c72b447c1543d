// Decodes values of single flags into those of the Engine API. Each function throws an Error when the value
// is invalid.

import { isIP } from 'node:net';
import type {
  DeviceMapping,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from '../../formats/engine-api/containers.ts';
import { decodeSize } from '../../formats/sizes.ts';
import { splitAt } from '../../formats/split.ts';
import { ULIMITS } from '../../formats/ulimits.ts';

/** '1.5' → 1500000000 billionths of a cpu. */
export function readCpus(text: string): number {
  const fraction = /^(\d+)\/(\d+)$/.exec(text);
  const number = fraction ? Number(fraction[1]) / Number(fraction[2]) : Number(text);
  if (text.trim() === '' || !Number.isFinite(number))
    throw new Error(`failed to parse ${text} as a rational number`);
  const nano = number * 1e9;
  if (Math.abs(nano - Math.round(nano)) > 1e-3) throw new Error('value is too precise');
  return Math.round(nano);
}

/** Decodes a size in bytes; -1 is unlimited. */
export const readSwap = (text: string): number => (text === '-1' ? -1 : decodeSize(text));

export function readMacAddress(text: string): string {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text))
    throw new Error(`${text} is not a valid mac address`);
  return text;
}

function pathAndRate(text: string, read: (rate: string) => number, wanted: string): ThrottleDevice {
  const [path, rate] = splitAt(text, ':');
  if (path === '' || rate === undefined) throw new Error(`bad format: ${text}`);
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`);
  try {
    return { Path: path, Rate: read(rate) };
  } catch {
    throw new Error(`invalid rate for device: ${text}. The correct format is <device-path>:${wanted}`);
  }
}

const positive = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new Error('not a number');
  return Number(text);
};

export const readThrottleBytes = (text: string): ThrottleDevice =>
  pathAndRate(
    text,
    decodeSize,
    '<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb',
  );

export const readThrottleCount = (text: string): ThrottleDevice =>
  pathAndRate(text, positive, '<number>. Number must be a positive integer');

export function readWeightDevice(text: string): WeightDevice {
  const { Path, Rate } = pathAndRate(text, positive, '<number>. Number must be a positive integer');
  if (Rate !== 0 && (Rate < 10 || Rate > 1000)) throw new Error(`invalid weight for device: ${text}`);
  return { Path, Weight: Rate };
}

/** 'nofile=1024:2048'; the hard limit defaults to the soft one, -1 is unlimited. */
export function readUlimit(text: string): Ulimit {
  const [name, written] = splitAt(text, '=');
  if (written === undefined) throw new Error(`invalid ulimit argument: ${text}`);
  if (!ULIMITS.includes(name)) throw new Error(`invalid ulimit type: ${name}`);
  const limits = written.split(':');
  if (limits.length > 2)
    throw new Error(`too many limit value arguments - ${written}, can only have up to two, \`soft[:hard]\``);
  const [soft, hard = soft] = limits.map(each => {
    if (!/^(-1|\d+)$/.test(each)) throw new Error(`invalid ulimit value: ${each || "''"}`);
    return Number(each);
  }) as [number, number | undefined];
  const bound = hard ?? soft;
  if (bound !== -1 && (soft === -1 || soft > bound)) {
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${bound}`);
  }
  return { Name: name, Soft: soft, Hard: bound };
}

/** '/dev/a[:/dev/b[:rwm]]', where the permissions may also come second. */
export function readDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const [PathOnHost = '', second, third] = parts;
  const permissions = (each: string | undefined) => each !== undefined && /^[rwm]+$/.test(each);
  if (parts.length > 3 || PathOnHost === '' || (third !== undefined && !permissions(third))) {
    throw new Error(`invalid device specification: ${text}`);
  }
  const onlyPermissions = third === undefined && permissions(second);
  return {
    PathOnHost,
    PathInContainer: (onlyPermissions ? '' : second) || PathOnHost,
    CgroupPermissions: third ?? (onlyPermissions ? second! : 'rwm'),
  };
}

/** 'on-failure:3' */
export function readRestart(text: string): { Name: string; MaximumRetryCount: number } {
  const [Name = '', count, ...rest] = text.split(':');
  if (rest.length > 0) throw new Error('invalid restart policy format');
  if (count !== undefined && !/^\d+$/.test(count)) {
    throw new Error('invalid restart policy format: maximum retry count must be an integer');
  }
  if (text !== '' && Name === '')
    throw new Error('invalid restart policy format: no policy provided before colon');
  return { Name, MaximumRetryCount: Number(count ?? 0) };
}

/** 'name:ip', 'name=ip', 'name:::1', 'name:host-gateway' → 'name:ip' */
export function readExtraHost(text: string): string {
  const match = /^([^:=]+)[:=](.*)$/.exec(text);
  if (!match) throw new Error(`bad format for add-host: ${JSON.stringify(text)}`);
  const [, name, given = ''] = match;
  const address = given.replace(/^\[(.*)\]$/, '$1');
  if (address !== 'host-gateway' && !isIP(address)) {
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(given)}`);
  }
  return `${name}:${address}`;
}

export function readAddress(text: string): string {
  if (!isIP(text)) throw new Error(`${text} is not an ip address`);
  return text;
}

export function readNameServer(text: string): string {
  if (!isIP(text)) throw new Error(`IP address is not correctly formatted: ${text}`);
  return text;
}

/** Converts 'key=value' pairs to an object; a key without a value gets an empty one. */
export function readPairs(pairs: readonly string[], separator = '='): Record<string, string> {
  return Object.fromEntries(
    pairs.map(pair => {
      const [key, value = ''] = splitAt(pair, separator);
      return [key, value];
    }),
  );
}
