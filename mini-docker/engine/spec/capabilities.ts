// Which capabilities a container keeps: docker's default, --cap-add, --cap-drop and --privileged.

import { CAP } from '../../linux/constants.ts';
import { badParameter } from '../core/errors.ts';

/** What docker leaves a container's root (https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities). */
export const DEFAULT_CAPABILITIES =
  `CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE
SYS_CHROOT KILL AUDIT_WRITE`
    .split(/\s+/)
    .map(name => `CAP_${name}`);

const KNOWN = new Set(Object.keys(CAP).map(name => `CAP_${name}`));

/**
 * `available` are those that the daemon itself has in its bounding set: no child of it can have more. One that was
 * asked for by name and is missing is an error; 'ALL' means all that there are.
 * @throws badParameter
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
  // A name in both lists: next to --cap-add ALL the drop is the exception, else the addition comes last and stays.
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
