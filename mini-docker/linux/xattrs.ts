// Extended attributes of an open file (xattr(7)).
import { call } from './call.ts';
import { mayFail } from './step.ts';
import { fgetxattr, flistxattr } from './syscalls.ts';

/** <linux/limits.h>: XATTR_LIST_MAX and XATTR_SIZE_MAX, the same number. */
const MAX = 65536;
const listBuffer = Buffer.allocUnsafeSlow(MAX);
const valueBuffer = Buffer.allocUnsafeSlow(MAX);

/** Names in the kernel's order; none where the filesystem does not support extended attributes. */
export function xattrNames(fd: number): string[] {
  const length = call(mayFail(flistxattr(fd, listBuffer), 'EOPNOTSUPP'));
  return length <= 0 ? [] : listBuffer.toString('utf8', 0, length - 1).split('\0');
}

/** A copy of an attribute's value; undefined when the attribute does not exist. */
export function xattr(fd: number, name: string): Buffer | undefined {
  const length = call(mayFail(fgetxattr(fd, name, valueBuffer), 'ENODATA', 'EOPNOTSUPP'));
  return length < 0 ? undefined : Buffer.from(valueBuffer.subarray(0, length));
}
