// What a mistake could do to the machine although it is made in namespaces: these rights are withheld in a sandbox.
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

/** From the next execve on. capabilities(7), bounding set */
export function withheldRights(): Item[] {
  return WITHHELD.map(capability => prctl(PR.CAPBSET_DROP, capability, 0, 0, 0));
}
