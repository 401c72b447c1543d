// Withholds capabilities with which a mistake could harm the machine in spite of the sandbox's namespaces.
import { CAP, type Item, PR, prctl } from '#linux';

const WITHHELD = [
  CAP.SYS_MODULE,
  CAP.SYS_RAWIO,
  CAP.SYS_BOOT,
  CAP.SYS_TTY_CONFIG,
  CAP.SYSLOG,
  CAP.AUDIT_CONTROL,
  CAP.WAKE_ALARM,
  CAP.MAC_ADMIN,
  CAP.MAC_OVERRIDE,
];

/** Takes effect with the next execve. capabilities(7), bounding set */
export function withheldRights(): Item[] {
  return WITHHELD.map(capability => prctl(PR.CAPBSET_DROP, capability, 0, 0, 0));
}
