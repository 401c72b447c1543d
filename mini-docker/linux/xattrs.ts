// Extended attributes of an open file (xattr(7)). Their names are bytes, as file names are.
import { call } from './call.ts';
import type { PathArg } from './in-root.ts';
import { mayFail } from './step.ts';
import { fgetxattr, flistxattr } from './syscalls.ts';

/** <linux/limits.h>: XATTR_LIST_MAX and XATTR_SIZE_MAX, the same number. */
const MAX = 65536;
const listBuffer = Buffer.allocUnsafeSlow(MAX);
const valueBuffer = Buffer.allocUnsafeSlow(MAX);

/** Names in the kernel's order, each with its NUL; none where the filesystem does not support extended attributes. */
export function xattrNames(fd: number): Buffer[] {
  const length = call(mayFail(flistxattr(fd, listBuffer), 'EOPNOTSUPP'));
  const names: Buffer[] = [];
  for (let at = 0; at < length; ) {
    const end = listBuffer.indexOf(0, at) + 1;
    names.push(Buffer.from(listBuffer.subarray(at, end)));
    at = end;
  }
  return names;
}

/** A copy of an attribute's value; undefined when the attribute does not exist. */
export function xattr(fd: number, name: PathArg): Buffer | undefined {
  const length = call(mayFail(fgetxattr(fd, name, valueBuffer), 'ENODATA', 'EOPNOTSUPP'));
  return length < 0 ? undefined : Buffer.from(valueBuffer.subarray(0, length));
}
