// What a program may do whoever starts it (capabilities(7), "File capabilities"): an extended attribute of its file, which
// Node cannot read. linux/ can, and takes as long to load as a short command: it is asked of programs only.
import { closeSync, constants, openSync, readSync } from 'node:fs';

const NAME = 'security.capability';
/** The kernel minds the attribute of ELF files; it takes none from scripts. */
const ELF = Buffer.from('\x7fELF', 'latin1');

/** For a tar entry's `xattrs`; undefined for a file without capabilities, or one that cannot be read. */
export async function capabilitiesOf(path: Buffer, mode: number): Promise<Map<string, Buffer> | undefined> {
  if ((mode & 0o111) === 0) return undefined;
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const start = Buffer.alloc(ELF.length);
    readSync(fd, start);
    if (!start.equals(ELF)) return undefined;
    const { xattr } = await import('../../linux/xattrs.ts');
    const value = xattr(fd, NAME);
    return value === undefined ? undefined : new Map([[NAME, value]]);
  } finally {
    closeSync(fd);
  }
}
