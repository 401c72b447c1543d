// --uidmap and --gidmap: a user namespace for one container. user_namespaces(7)

import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import { containerId, hostId } from '../../formats/id-mappings.ts';
import type { IdMapping } from '../../formats/oci/runtime-spec.ts';

export interface IdMappings {
  uid: IdMapping[];
  gid: IdMapping[];
}

export interface Owner {
  uid: number;
  gid: number;
}

/** The kernel's limit on lines. */
const MOST = 340;
/** First id that cannot be mapped: 2^32 - 1 means "unchanged" to chown(2). */
const END = 2 ** 32 - 1;

/** undefined when it has no user namespace of its own. @throws badParameter when the mappings are invalid */
export function idMappings(host: HostConfig): IdMappings | undefined {
  const { UidMap, GidMap } = host.IDMappings ?? {};
  const [uids, gids] = [UidMap ?? [], GidMap ?? []];
  if (uids.length === 0 && gids.length === 0) return undefined;
  // If only one of the two is given, it applies to both.
  return {
    uid: decode('uidmap', uids.length > 0 ? uids : gids),
    gid: decode('gidmap', gids.length > 0 ? gids : uids),
  };
}

function decode(flag: string, texts: readonly string[]): IdMapping[] {
  const mappings = texts.map(text => {
    const [, containerID, hostID, size] = /^(\d+):(\d+):(\d+)$/.exec(text)?.map(Number) ?? [];
    if (containerID === undefined || hostID === undefined || size === undefined) {
      throw badParameter(`invalid --${flag} ${JSON.stringify(text)}: the form is CONTAINER:HOST:SIZE`);
    }
    if (size === 0 || containerID + size > END || hostID + size > END) {
      throw badParameter(
        `invalid --${flag} ${text}: ids must be below ${END}, and a range needs at least one id`,
      );
    }
    return { containerID, hostID, size };
  });
  if (mappings.length > MOST)
    throw badParameter(`--${flag}: the kernel allows at most ${MOST} ranges, not ${mappings.length}`);
  for (const side of ['containerID', 'hostID'] as const) {
    const sorted = mappings.toSorted((a, b) => a[side] - b[side]);
    const overlap = sorted.find(
      (each, at) => at > 0 && sorted[at - 1]![side] + sorted[at - 1]!.size > each[side],
    );
    if (overlap === undefined) continue;
    const where = side === 'hostID' ? 'on the host' : 'of the container';
    throw badParameter(`--${flag}: ranges overlap: id ${overlap[side]} ${where} is in two of them`);
  }
  if (!isMapped(mappings, 0)) {
    throw badParameter(`--${flag}: root of the container, id 0, has no id on the host`);
  }
  return mappings;
}

export function isMapped(mappings: readonly IdMapping[], id: number): boolean {
  return mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
}

/** Options that conflict with a user namespace. @throws badParameter when one of them is set */
export function checkIdMappings(host: HostConfig): void {
  if (idMappings(host) === undefined) return;
  const others: [boolean, string, string][] = [
    [host.Privileged === true, '--privileged', 'that is for the root of the host'],
    [host.UsernsMode === 'host', '--userns host', 'it is one or the other'],
    ...(['NetworkMode', 'PidMode', 'IpcMode'] as const).map((mode): [boolean, string, string] => [
      /^(host|container:)/.test(host[mode] ?? ''),
      `${FLAG[mode]} ${(host[mode] ?? '').split(':')[0]}`,
      'what belongs to another user namespace cannot be set up from this one',
    ]),
  ];
  const found = others.find(([is]) => is);
  if (found !== undefined)
    throw badParameter(`--uidmap and --gidmap cannot be had together with ${found[1]}: ${found[2]}`);
}

const FLAG = { NetworkMode: '--network', PidMode: '--pid', IpcMode: '--ipc' };

/** Translates a file's owner from the container's to the host's ids; undefined where both are the same. */
export function ownersOnHost(host: HostConfig): ((owner: Owner) => Owner) | undefined {
  const mappings = idMappings(host);
  return mappings && (({ uid, gid }) => ({ uid: hostId(mappings.uid, uid), gid: hostId(mappings.gid, gid) }));
}

export function ownersInContainer(host: HostConfig): ((owner: Owner) => Owner) | undefined {
  const mappings = idMappings(host);
  return (
    mappings &&
    (({ uid, gid }) => ({ uid: containerId(mappings.uid, uid), gid: containerId(mappings.gid, gid) }))
  );
}
