// Refuses what a spec asks for and this runtime or this kernel cannot give: nothing is silently ignored.
import { existsSync } from 'node:fs';
import { FormatError } from '../formats/errors.ts';
import type { NamespaceType, Spec } from '../formats/oci/runtime-spec.ts';
import { NAMESPACE_FLAG } from '../runtime/namespaces.ts';
import { checkSupervisor } from './supervisor.ts';

/** The kernel's files in /proc/self/ns. */
const FILES: Record<NamespaceType, string> = {
  pid: 'pid',
  network: 'net',
  mount: 'mnt',
  ipc: 'ipc',
  uts: 'uts',
  user: 'user',
  cgroup: 'cgroup',
  time: 'time',
};

export function namespaceFile(type: NamespaceType): string {
  return FILES[type];
}

/** @throws FormatError that names the field */
export function checkSupported(spec: Spec): void {
  const { namespaces } = spec.linux;
  for (const [index, { type }] of namespaces.entries()) {
    if (!(type in NAMESPACE_FLAG)) throw new FormatError(`namespace ${type} does not exist`);
    if (namespaces.slice(0, index).some(other => other.type === type))
      throw new FormatError(`malformed spec file: duplicated ns {"type":"${type}"}`);
    if (!existsSync(`/proc/self/ns/${FILES[type]}`))
      throw new FormatError(`linux.namespaces: this kernel has no ${type} namespaces`);
  }
  const has = (type: NamespaceType): boolean => namespaces.some(each => each.type === type);
  if (!has('mount'))
    throw new FormatError(
      'linux.namespaces: a container needs a mount namespace, or it would change the host',
    );
  if ((spec.hostname || spec.domainname) && !has('uts'))
    throw new FormatError('unable to set hostname without a private UTS namespace');
  const { timeOffsets, uidMappings = [], gidMappings = [] } = spec.linux;
  if (timeOffsets && Object.keys(timeOffsets).length > 0 && !has('time'))
    throw new FormatError('linux.timeOffsets: time offsets need a private time namespace');
  const newUser = namespaces.some(({ type, path }) => type === 'user' && path === undefined);
  if (newUser && (uidMappings.length === 0 || gidMappings.length === 0))
    throw new FormatError('linux.uidMappings, gidMappings: a new user namespace needs both');
  if (!newUser && !has('user') && uidMappings.length + gidMappings.length > 0)
    throw new FormatError(
      "User namespace mappings specified, but USER namespace isn't enabled in the config",
    );
  for (const { type } of spec.linux.devices ?? [])
    if (!/^[bcup]$/.test(type)) throw new FormatError(`invalid device type "${type}"`);
  for (const { type } of spec.linux.resources?.devices ?? [])
    if (type && !/^[abcup]$/.test(type)) throw new FormatError(`invalid cgroup device type "${type}"`);
  if (spec.linux.seccomp) checkSupervisor(spec.linux.seccomp);
  const linux = spec.linux as unknown as Record<string, unknown>;
  if (linux.intelRdt)
    throw new FormatError('linux.intelRdt: this runtime does not set Intel RDT; remove the field');
}
