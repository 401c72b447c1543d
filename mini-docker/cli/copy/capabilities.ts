// Reads file capabilities, which a program has whoever starts it (capabilities(7), "File capabilities"): an
// extended attribute, which Node cannot read. linux/ can, but takes as long to load as a short command, so it
// is loaded for programs only.

import { closeSync, constants, openSync, readSync } from 'node:fs';
import { quietly } from '../../formats/quietly.ts';

const NAME = 'security.capability';
/** The kernel honours the attribute on ELF files, and not on scripts. */
const ELF = Buffer.from('\x7fELF', 'latin1');

/** The `xattrs` of a tar entry; undefined for a file without capabilities, or an unreadable one. */
export async function capabilitiesOf(path: Buffer, mode: number): Promise<Map<string, Buffer> | undefined> {
  if ((mode & 0o111) === 0) return undefined;
  const fd = quietly(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  if (fd === undefined) return undefined;
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
