// Sets the program's labels for the kernel's security modules. They are written through the host's /proc
// before the root changes, since /proc in a container may be anything. They apply from the next execve on,
// and children inherit them.
import type { Process } from '../formats/oci/runtime-spec.ts';
import { AT, O } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, resultOf } from '../linux/step.ts';
import { close, openat, writeText } from '../linux/syscalls.ts';

export function labelItems({ apparmorProfile, selinuxLabel }: Process): Item[] {
  return [
    ...(apparmorProfile === undefined
      ? []
      : writeAttribute('apparmor/exec', `exec ${apparmorProfile}`, `AppArmor's profile ${apparmorProfile}`)),
    ...(selinuxLabel === undefined
      ? []
      : writeAttribute('exec', selinuxLabel, `SELinux's context ${selinuxLabel}`)),
  ];
}

function writeAttribute(name: string, text: string, why: string): Item[] {
  const file = openat(AT.FDCWD, `/proc/self/attr/${name}`, O.WRONLY | O.CLOEXEC, 0);
  return [file, because(why, writeText(resultOf(file), text)), close(resultOf(file))];
}
