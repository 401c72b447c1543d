// Devices that a container may use: docker's default rules, `--device`, `--device-cgroup-rule`, `--privileged`.

import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceMapping } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import type { Device, DeviceRule } from '../../formats/oci/runtime-spec.ts';
import { S_IF } from '../../linux/constants.ts';

/** Docker's defaults: any node may be made, and these few may be opened. */
export const DEFAULT_DEVICE_RULES: DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  allowed(1, 3), // /dev/null
  allowed(1, 5), // /dev/zero
  allowed(1, 7), // /dev/full
  allowed(1, 8), // /dev/random
  allowed(1, 9), // /dev/urandom
  allowed(5, 0), // /dev/tty
  allowed(5, 1), // /dev/console
  allowed(5, 2), // /dev/ptmx
  { allow: true, type: 'c', major: 136, access: 'rwm' }, // /dev/pts/N
];

/** The nodes that every container's /dev has (OCI runtime specification, config-linux.md, "Default Devices"). */
export const DEFAULT_DEVICES: Device[] = [
  node('/dev/null', 1, 3),
  node('/dev/zero', 1, 5),
  node('/dev/full', 1, 7),
  node('/dev/random', 1, 8),
  node('/dev/urandom', 1, 9),
  node('/dev/tty', 5, 0),
];

export interface GrantedDevice {
  device: Device;
  rule: DeviceRule;
}

/**
 * The devices at a path of the host: one device, or all devices below a directory.
 * @throws badParameter when there is none, or the permissions are not some of 'rwm'
 */
export function grantedDevices(mapping: DeviceMapping): GrantedDevice[] {
  const access = mapping.CgroupPermissions || 'rwm';
  const inContainer = mapping.PathInContainer || mapping.PathOnHost;
  if (!/^[rwm]{1,3}$/.test(access)) throw badParameter(`invalid device permissions: ${access}`);
  if (!inContainer.startsWith('/'))
    throw badParameter(`invalid device path: ${inContainer} must be absolute`);
  let stats: Stats;
  try {
    stats = statSync(mapping.PathOnHost);
  } catch (cause) {
    throw noDevice(mapping.PathOnHost, 'no such file or directory', cause);
  }
  if (!stats.isDirectory()) {
    const device = deviceOf({ path: inContainer, stats });
    if (!device) throw noDevice(mapping.PathOnHost, 'not a device node');
    return [{ device, rule: ruleFor(device, access) }];
  }
  const found = devicesBelow(mapping.PathOnHost).map(({ path, stats }) => {
    const device = deviceOf({ path: join(inContainer, path.slice(mapping.PathOnHost.length)), stats })!;
    return { device, rule: ruleFor(device, access) };
  });
  if (found.length === 0) throw noDevice(mapping.PathOnHost, 'not a device node');
  return found;
}

/** Every device of the host, for --privileged. */
export function allDevices(): Device[] {
  return devicesBelow('/dev')
    .filter(({ path }) => !/^\/dev\/(console|pts|shm|mqueue)($|\/)/.test(path))
    .map(({ path, stats }) => deviceOf({ path, stats })!);
}

/** 'c 13:* rwm' as in `--device-cgroup-rule`. */
export function decodeDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (!match) throw badParameter(`invalid device cgroup rule format: '${text}'`);
  const [, type, major, minor, access] = match;
  return {
    allow: true,
    type: type as 'a' | 'c' | 'b',
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access: access!,
  };
}

/** Major and minor number of a block device, for blkio limits. */
export function blockDevice(path: string): { major: number; minor: number } {
  try {
    const { rdev } = statSync(path);
    return deviceNumbers(rdev);
  } catch (cause) {
    throw Object.assign(badParameter(`stat ${path}: no such file or directory`), { cause });
  }
}

/** Without those that vanish meanwhile, as terminals do. */
function devicesBelow(directory: string): { path: string; stats: Stats }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isCharacterDevice() || entry.isBlockDevice())
    .map(entry => join(entry.parentPath, entry.name))
    .flatMap(path => {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ path, stats }];
    });
}

function deviceOf(options: {
  path: string;
  stats: { mode: number; rdev: number; uid: number; gid: number };
}): Device | undefined {
  const { path, stats } = options;
  const kind = stats.mode & S_IF.MT;
  if (kind !== S_IF.CHR && kind !== S_IF.BLK) return undefined;
  return {
    type: kind === S_IF.CHR ? 'c' : 'b',
    path,
    ...deviceNumbers(stats.rdev),
    fileMode: stats.mode & 0o777,
    uid: stats.uid,
    gid: stats.gid,
  };
}

/** makedev(3): glibc's layout of dev_t. */
function deviceNumbers(rdev: number): { major: number; minor: number } {
  const bits = BigInt(rdev);
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)),
  };
}

function ruleFor(device: Device, access: string): DeviceRule {
  return {
    allow: true,
    type: device.type === 'b' ? 'b' : 'c',
    major: device.major,
    minor: device.minor,
    access,
  };
}

function allowed(major: number, minor: number): DeviceRule {
  return { allow: true, type: 'c', major, minor, access: 'rwm' };
}

function node(path: string, major: number, minor: number): Device {
  return { type: 'c', path, major, minor, fileMode: 0o666, uid: 0, gid: 0 };
}

function noDevice(path: string, why: string, cause?: unknown) {
  const error = badParameter(
    `error gathering device information while adding custom device ${JSON.stringify(path)}: ${why}`,
  );
  if (cause !== undefined) error.cause = cause;
  return error;
}
