// errno numbers and their names: the same on x86-64 and arm64 (<asm-generic/errno.h>).
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';

/** errnos that Node does not name. */
const others: Record<string, [errno: number, message: string]> = {
  ENOTBLK: [15, 'block device required'],
  EADV: [68, 'advertise error'],
  EUSERS: [87, 'too many users'],
  EREMOTE: [66, 'object is remote'],
  EUCLEAN: [117, 'structure needs cleaning'],
  ENOKEY: [126, 'required key not available'],
  EOWNERDEAD: [130, 'owner died'],
  ERFKILL: [132, 'operation not possible due to RF-kill'],
};

const messages: Record<string, string> = {
  EDQUOT: 'disk quota exceeded',
  ENODATA: 'no data available',
  ESTALE: 'stale file handle',
  ETIME: 'timer expired',
  ECHILD: 'no child processes',
  EDOM: 'numerical argument out of domain',
  EIDRM: 'identifier removed',
  ENOEXEC: 'exec format error',
  ENOLCK: 'no locks available',
  ENOMSG: 'no message of desired type',
  ENOSR: 'out of streams resources',
  ENOSTR: 'device not a stream',
  EPROTO: 'protocol error',
  EDEADLK: 'resource deadlock avoided',
  ENOTRECOVERABLE: 'state not recoverable',
};

/** Numbers by name: ERRNO.EINVAL is 22. */
export const ERRNO: typeof constants.errno & Readonly<Record<string, number>> = {
  ...constants.errno,
  ...Object.fromEntries(Object.entries(others).map(([name, [errno]]) => [name, errno])),
};

const names = new Map<number, string>();
for (const [name, errno] of Object.entries(ERRNO)) if (!names.has(errno)) names.set(errno, name);

/** 22 → 'EINVAL'; a number without a name → 'errno 4095'. */
export function errnoName(errno: number): string {
  if (errno === 0) return 'unexpected result';
  return names.get(errno) ?? `errno ${errno}`;
}

/** 22 → 'invalid argument'. */
export function errnoMessage(errno: number): string {
  // Step.expect: the program expected a byte, and the pipe was closed.
  if (errno === 0) return 'the call succeeded, but whoever should have answered is gone';
  const name = errnoName(errno);
  return others[name]?.[1] ?? messages[name] ?? getSystemErrorMessage(-errno);
}
