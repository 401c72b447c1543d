// Writes the id maps of a container's new user namespace. user_namespaces(7)
import { writeFileSync } from 'node:fs';
import type { IdMapping, Linux, Spec } from '../formats/oci/runtime-spec.ts';
import { spawnSync } from '../linux/on-demand.ts';

export function writeIdMaps(pid: number, { linux }: Spec): void {
  const { uidMappings = [], gidMappings = [] } = linux;
  if (process.geteuid!() !== 0) {
    writeAsUser(pid, uidMappings, gidMappings);
    return;
  }
  writeFileSync(`/proc/${pid}/uid_map`, mapText(uidMappings));
  writeFileSync(`/proc/${pid}/gid_map`, mapText(gidMappings));
}

/** A user may map only its own id, with setgroups(2) denied; for more there are the set-user-id programs. */
function writeAsUser(pid: number, uids: readonly IdMapping[], gids: readonly IdMapping[]): void {
  if (isOwnOnly(uids)) writeFileSync(`/proc/${pid}/uid_map`, mapText(uids));
  else map('newuidmap', pid, uids);
  if (isOwnOnly(gids)) {
    writeFileSync(`/proc/${pid}/setgroups`, 'deny');
    writeFileSync(`/proc/${pid}/gid_map`, mapText(gids));
  } else map('newgidmap', pid, gids);
}

const isOwnOnly = (mappings: readonly IdMapping[]): boolean =>
  mappings.length === 1 && mappings[0]!.size === 1;

/** Whether the maps can only be written once setgroups(2) is denied. */
export function deniesGroups({ gidMappings = [] }: Linux): boolean {
  return process.geteuid!() !== 0 && isOwnOnly(gidMappings);
}

function map(program: string, pid: number, mappings: readonly IdMapping[]): void {
  const args = mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String));
  const { error, status, stderr } = spawnSync(program, [String(pid), ...args], { encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(`${program} (Debian: uidmap) is needed for these id maps: ${error.message}`);
  if (status !== 0) throw new Error(`${program} refused the id maps: ${stderr.trim()}`);
}

/** user_namespaces(7), "User and group ID mappings" */
export function mapText(mappings: readonly IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}
