// The capabilities of a container: docker's default, --cap-add, --cap-drop and --privileged.

import { badParameter } from '../../formats/errors.ts';
import { CAP } from '../../linux/constants.ts';

/**
 * Docker's default capabilities of root
 * (https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities).
 */
export const DEFAULT_CAPABILITIES =
  `CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE
SYS_CHROOT KILL AUDIT_WRITE`
    .split(/\s+/)
    .map(name => `CAP_${name}`);

const KNOWN = new Set(Object.keys(CAP).map(name => `CAP_${name}`));

/**
 * `available`: the daemon's own bounding set, which no child can exceed. A missing capability is an error
 * when it was requested by name; 'ALL' means all available ones.
 * @throws badParameter when a capability is unknown or not available
 */
export function containerCapabilities(options: {
  add: string[];
  drop: string[];
  privileged: boolean;
  available: ReadonlySet<string>;
}): string[] {
  const all = [...KNOWN].filter(name => options.available.has(name));
  if (options.privileged) return all;
  const add = options.add.map(name => normalized('CapAdd', name));
  const drop = options.drop.map(name => normalized('CapDrop', name));
  for (const name of add) {
    if (name === 'ALL' || options.available.has(name)) continue;
    throw badParameter(`cannot add ${name}: the daemon itself does not have it`);
  }
  const base = add.includes('ALL') ? all : drop.includes('ALL') ? [] : DEFAULT_CAPABILITIES;
  const kept = new Set(base.filter(name => options.available.has(name) && !drop.includes(name)));
  // A name in both lists: with --cap-add ALL it is dropped, else it is added.
  if (!add.includes('ALL')) for (const name of add) kept.add(name);
  return all.filter(name => kept.has(name));
}

function normalized(field: string, text: string): string {
  const upper = text.trim().toUpperCase();
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL';
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!KNOWN.has(name)) throw badParameter(`invalid ${field}: unknown capability: ${JSON.stringify(name)}`);
  return name;
}
