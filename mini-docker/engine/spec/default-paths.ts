// Files of /proc and /sys that a container may not read, or not write: docker's lists. The start skips paths
// that this kernel does not have.

import { decodeCpuList } from './cpu-list.ts';

const MASKED = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

/** The temperature files of each cpu reveal the activity of other containers on it. */
export function defaultMaskedPaths(onlineCpus: string): string[] {
  const cpus = [...(decodeCpuList(onlineCpus) ?? [])];
  return [...MASKED, ...cpus.map(cpu => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`)];
}

export const DEFAULT_READONLY_PATHS = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];
