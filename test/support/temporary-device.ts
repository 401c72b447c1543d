import { existsSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** The block device that holds temporary files: '/dev/vda'; undefined when there is none, as for a tmpfs. */
export const temporaryDevice = deviceOf(statSync(tmpdir()).dev);

/** @param dev device number as stat(2) packs it: makedev(3) */
function deviceOf(dev: number): string | undefined {
  const major = (dev >> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
  const file = `/sys/dev/block/${major}:${minor}/uevent`;
  if (!existsSync(file)) return undefined;
  return `/dev/${/^DEVNAME=(.+)$/m.exec(readFileSync(file, 'utf8'))?.[1]}`;
}
