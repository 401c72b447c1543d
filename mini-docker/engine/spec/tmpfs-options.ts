// The mount options of a tmpfs (`--tmpfs /run:size=64m`), checked before a container is made: the kernel would
// refuse them at every start (tmpfs(5); Documentation/filesystems/tmpfs.rst).

import { badParameter } from '../../formats/errors.ts';

/** Options without a value, as in mount(8). */
const FLAGS = new Set(
  (
    'defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime ' +
    'diratime nodiratime bind rbind unbindable runbindable private rprivate shared rshared slave rslave ' +
    'relatime norelatime strictatime nostrictatime'
  ).split(' '),
);

/** A number with a unit; of the size, a percentage of the memory as well. */
const COUNT = /^(0x[\da-f]+|\d*)[kmgtpe]?$/i;
const VALUES: Readonly<Record<string, RegExp>> = {
  size: /^(0x[\da-f]+|\d*)[kmgtpe]?%?$/i,
  nr_blocks: COUNT,
  nr_inodes: COUNT,
  mode: /^[0-7]+$/,
  uid: /^\d+$/,
  gid: /^\d+$/,
  mpol: /./,
};

/** @throws badParameter for the first option that is unknown or has an impossible value, in docker's words */
export function checkTmpfsOptions(options: readonly string[]): void {
  for (const option of options) {
    if (option === '' || FLAGS.has(option)) continue;
    const [, key = option, value] = /^([^=]*)=(.*)$/.exec(option) ?? [];
    if (value !== undefined && Object.hasOwn(VALUES, key) && VALUES[key]!.test(value)) continue;
    const words = [key, ...(value === undefined ? [] : [value])].map(word => JSON.stringify(word));
    throw badParameter(`invalid tmpfs option [${words.join(' ')}]`);
  }
}
