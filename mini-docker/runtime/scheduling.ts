// How the kernel is to schedule a program and its input and output, and which system it is to see.
import type { Linux, Process, Scheduler } from '../formats/oci/runtime-spec.ts';
import type { Item } from '../linux/program.ts';
import { because } from '../linux/step.ts';
import { ioprioSet, personality, schedSetattr } from '../linux/syscalls.ts';

/** <linux/ioprio.h> */
const IO_CLASSES: Record<string, number> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };
const IO_CLASS_SHIFT = 13;
const IO_WHO_PROCESS = 1;

/** <linux/sched.h> */
const POLICIES: Record<string, number> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};
const POLICY_FLAGS: Record<string, number> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};
const ATTRIBUTE_SIZE = 48;

/** <linux/personality.h> */
const DOMAINS: Record<string, number> = { LINUX: 0, LINUX32: 8 };

/** @throws TypeError for a name that the kernel does not have */
function known(table: Record<string, number>, name: string, what: string): number {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  if (value === undefined)
    throw new TypeError(`unknown ${what} ${name}: there are ${Object.keys(table).join(', ')}`);
  return value;
}

/** Steps for before the capabilities go: some priorities need CAP_SYS_NICE. */
export function scheduling({ ioPriority, scheduler }: Process, { personality: own }: Linux): Item[] {
  const items: Item[] = [];
  if (ioPriority) {
    const { class: name, priority = 0 } = ioPriority;
    const value = (known(IO_CLASSES, name, 'class of ioPriority') << IO_CLASS_SHIFT) | priority;
    items.push(because(`${name}, ${priority}`, ioprioSet(IO_WHO_PROCESS, 0, value)));
  }
  if (scheduler) items.push(because(scheduler.policy, schedSetattr(0, encodeAttributes(scheduler), 0)));
  if (own) {
    if ((own.flags ?? []).length > 0) throw new TypeError('personality: the kernel knows no flags for it');
    items.push(because('what uname(2) says', personality(known(DOMAINS, own.domain, 'personality'))));
  }
  return items;
}

/** struct sched_attr. <linux/sched/types.h> */
function encodeAttributes(scheduler: Scheduler): Buffer {
  const { policy, nice = 0, priority = 0, flags = [], runtime = 0, deadline = 0, period = 0 } = scheduler;
  const bits = (flags ?? []).reduce((sum, flag) => sum | known(POLICY_FLAGS, flag, 'scheduler flag'), 0);
  const bytes = Buffer.alloc(ATTRIBUTE_SIZE);
  bytes.writeUInt32LE(ATTRIBUTE_SIZE, 0);
  bytes.writeUInt32LE(known(POLICIES, policy, 'scheduler policy'), 4);
  bytes.writeBigUInt64LE(BigInt(bits), 8);
  bytes.writeInt32LE(nice, 16);
  bytes.writeUInt32LE(priority, 20);
  bytes.writeBigUInt64LE(BigInt(runtime), 24);
  bytes.writeBigUInt64LE(BigInt(deadline), 32);
  bytes.writeBigUInt64LE(BigInt(period), 40);
  return bytes;
}
