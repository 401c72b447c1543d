// The sections of a box: what the kernel says of it, as lines. Pure: data in, lines out.

import { encodeSize } from '../../formats/sizes.ts';
import type {
  BoxView,
  GroupView,
  LinkView,
  MountView,
  NamespaceView,
  NetworkView,
  RightsView,
  View,
} from '../../formats/view.ts';
import { wrapped } from '../show/wrapped.ts';
import { groupGauges, throttledText } from './figures.ts';
import { graph, type History, type Sample } from './history.ts';
import { bar, type Glyphs, type Line, tree } from './lines.ts';

export interface Drawing {
  view: View;
  box: BoxView;
  history: History;
  glyphs: Glyphs;
  /** Columns to use. */
  width: number;
}

export interface Section {
  name: string;
  /** For a narrow window. */
  short: string;
  heading: string;
  lines(drawing: Drawing): Line[];
}

export const SECTIONS: readonly Section[] = [
  { name: 'processes', short: 'proc', heading: 'Processes', lines: processes },
  { name: 'namespaces', short: 'ns', heading: 'Namespaces', lines: namespaces },
  { name: 'mounts', short: 'mnt', heading: 'Mounts', lines: mounts },
  { name: 'resources', short: 'cgroup', heading: 'Control group', lines: resources },
  { name: 'network', short: 'net', heading: 'Network', lines: network },
  { name: 'rights', short: 'rights', heading: 'Rights', lines: rights },
  { name: 'log', short: 'log', heading: 'Log', lines: log },
];

const heading = (text: string): Line => ({ text, tone: 'heading' });
const note = (text: string): Line => ({ text, tone: 'dim' });

/** Columns below which the users and the memory of processes are left out. */
const NARROW = 50;

function processes({ box, glyphs, width }: Drawing): Line[] {
  const found = tree(box.processes, { id: ({ pid }) => pid, parent: ({ parent }) => parent }, glyphs);
  return [
    note(width < NARROW ? 'INSIDE    HOST  COMMAND' : 'INSIDE    HOST   USER     MEMORY  COMMAND'),
    ...found.map(({ node, branch }): Line => {
      const { inside, pid, uid, memory, state, command } = node;
      const size = memory === 0 ? '-' : encodeSize(memory);
      const pids = `${String(inside).padStart(6)} ${String(pid).padStart(7)}`;
      const figures = width < NARROW ? pids : `${pids} ${String(uid).padStart(6)} ${size.padStart(10)}`;
      const ended = state === 'Z' ? ' (ended; its parent has not asked for its exit status)' : '';
      return {
        text: `${figures}  ${branch}${command}${ended}`,
        key: `process ${pid}`,
        watched: `${command}${ended}`,
      };
    }),
    ...(box.more > 0 ? [note(`and ${box.more} more`)] : []),
  ];
}

function namespaces({ box }: Drawing): Line[] {
  return [
    note('TYPE    INODE       WHOSE'),
    ...box.namespaces.map((each): Line => {
      const { type, inode } = each;
      const isHosts = inode === each.hosts;
      return {
        text: `${type.padEnd(7)} ${String(inode).padEnd(11)} ${whose(each, box)}`,
        key: `namespace ${type} ${inode}`,
        watched: `${inode} ${each.hostname}`,
        ...(isHosts ? { tone: 'dim' } : {}),
      };
    }),
  ];
}

/** Whether a namespace is the box's own, and who else is in it. */
export function whose({ inode, hosts, others, pids, hostname }: NamespaceView, box: BoxView): string {
  const isMain = pids.includes(box.pid);
  const name = hostname === undefined ? '' : `, hostname ${hostname}`;
  const more = pids.length > 1 ? ` and ${pids.length - 1} more` : '';
  const members = isMain ? '' : `: ${processText(pids[0]!, box)}${more}`;
  if (inode === hosts) return `the host's${members}`;
  const shared = others.length === 0 ? '' : `, shared with ${others.join(', ')}`;
  return `${isMain ? 'its own' : 'one more'}${name}${shared}${members} (the host's: ${hosts})`;
}

/** 'pid 4711 (sh)' */
export function processText(pid: number, box: BoxView): string {
  return `pid ${pid} (${box.processes.find(each => each.pid === pid)?.command ?? ''})`;
}

export const MORE_MOUNTS = 'and more mounts, which are not read';

function mounts({ box, glyphs }: Drawing): Line[] {
  const [first, ...others] = box.mounts;
  if (first === undefined) return [];
  return [
    ...mountLines(first.mounts, `${first.inode}`, glyphs),
    ...(first.more ? [note(MORE_MOUNTS)] : []),
    ...others.flatMap(({ inode, pid, mounts, more }) => {
      const { added, kept, gone } = compared(first.mounts, mounts);
      return [
        { ...heading(`namespace ${inode} of ${processText(pid, box)}`), key: `mounts ${inode}` },
        note(
          `has ${kept} of the mounts above${gone > 0 ? `, not the other ${gone}` : ''}${added.length > 0 ? ', and:' : ''}`,
        ),
        ...mountLines(added, `${inode}`, glyphs),
        ...(more ? [note(MORE_MOUNTS)] : []),
      ];
    }),
  ];
}

/** A new namespace has copies of all mounts, under other ids. */
export function compared(before: readonly MountView[], now: readonly MountView[]) {
  const what = ({ point, type, source, root, readonly }: MountView) =>
    [point, type, source, root, readonly].join('\0');
  const [known, there] = [new Set(before.map(what)), new Set(now.map(what))];
  const added = now.filter(mount => !known.has(what(mount)));
  const gone = before.filter(mount => !there.has(what(mount))).length;
  return { added, kept: now.length - added.length, gone };
}

export function mountText({ point, type, source, root, readonly, propagation }: MountView): string {
  const from = root === undefined ? source : `${source} ${root}`;
  const text = `${point}  ${type} ${readonly ? 'ro' : 'rw'}${from === type ? '' : ` from ${from}`}`;
  return propagation === '' ? text : `${text} (${propagation})`;
}

/** The writable layer is the first, and layer 1 the lowest. */
export function layerText(layers: readonly string[], index: number): string {
  return `${index === 0 ? 'writes go to' : `layer ${layers.length - index}     `} ${layers[index]}`;
}

function mountLines(mounts: readonly MountView[], namespace: string, glyphs: Glyphs): Line[] {
  const found = tree(mounts, { id: ({ id }) => id, parent: ({ parent }) => parent }, glyphs);
  return found.flatMap(({ node, branch }): Line[] => {
    const { id, point, layers = [] } = node;
    const indent = branch === '' ? glyphs.tree[2] : branch.replace(/[^ ]/gu, ' ');
    return [
      {
        text: branch + mountText(node),
        key: `mount ${namespace} ${id} ${point}`,
        watched: mountText(node),
      },
      ...layers.map((_, index) => note(`${indent}${layerText(layers, index)}`)),
    ];
  });
}

function resources({ box, view, history, glyphs, width }: Drawing): Line[] {
  const samples = history.get(box.id) ?? [];
  return box.groups.flatMap((group, index) => [
    ...(index === 0 ? [] : [{ text: '' }]),
    { ...heading(`${group.path} (version ${group.version})`), key: `group ${group.path}` },
    // The history is that of process 1's group.
    ...usageLines(group, { view, samples: index === 0 ? samples : [], glyphs, width }),
  ]);
}

function usageLines(
  group: GroupView,
  options: { view: View; samples: readonly Sample[]; glyphs: Glyphs; width: number },
): Line[] {
  const { view, samples, glyphs, width } = options;
  const wide = Math.max(8, Math.min(20, Math.floor(width / 5)));
  const throttled = throttledText(group);
  return [
    ...groupGauges(group, { host: view.host, samples }).map(({ name, figure, share, text, scale }): Line => {
      const part = share === undefined ? ' '.repeat(wide) : bar(share, wide, glyphs);
      const past = samples.length === 0 ? '' : graph(samples, figure, { width: wide, glyphs, scale });
      return { text: `${name.padEnd(8)} ${part} ${past} ${text}` };
    }),
    ...(group.pressure === undefined ? [note('pressure not counted by group in version 1')] : []),
    ...(throttled === undefined ? [] : [note(throttled)]),
  ];
}

function network({ box, glyphs }: Drawing): Line[] {
  return [
    ...box.networks.flatMap(({ inode, pid, links, listening }, index) => [
      ...(index === 0
        ? []
        : [{ ...heading(`namespace ${inode} of ${processText(pid, box)}`), key: `network ${inode}` }]),
      ...links.flatMap(link => linkLines(link, inode, glyphs)),
      ...listening.map(each => ({ text: listeningText(each), key: `${inode} ${listeningText(each)}` })),
    ]),
    ...box.published.map((text): Line => ({ text: `published  ${text}`, key: `published ${text}` })),
  ];
}

export function listeningText({ protocol, address, port }: NetworkView['listening'][number]): string {
  return `listens  ${protocol} ${address.includes(':') ? `[${address}]` : address}:${port}`;
}

export function trafficText({ received, sent }: LinkView): string {
  const traffic = (word: string, { bytes, packets, dropped }: LinkView['sent']) =>
    `${word} ${encodeSize(bytes)} in ${packets} packets${dropped > 0 ? `, ${dropped} dropped` : ''}`;
  return `${traffic('received', received)}; ${traffic('sent', sent)}`;
}

function linkLines(link: LinkView, inode: number, glyphs: Glyphs): Line[] {
  const { name, kind, up, mac, mtu, addresses, peer } = link;
  const bridge =
    peer?.bridge === undefined ? '' : ` on bridge ${peer.bridge} ${peer.bridgeAddresses.join(' ')}`;
  const cable = peer === undefined ? '' : ` ${glyphs.cable} ${peer.name}${bridge}`;
  return [
    { text: `${name} (${kind}, ${up ? 'up' : 'DOWN'})${cable}`, key: `link ${inode} ${name}` },
    ...addresses.map(
      (address): Line => ({ text: `  ${address}`, key: `address ${inode} ${name} ${address}` }),
    ),
    note(`  ${trafficText(link)}`),
    ...(kind === 'loopback' ? [] : [note(`  ${mac}, mtu ${mtu}`)]),
  ];
}

/** Each right by name, of process 1 and on the host. */
export function rightsRows(rights: RightsView, host: RightsView): [string, string, string][] {
  return [
    ['user', userText(rights), userText(host)],
    ['ids', rights.uidMap.join(', '), host.uidMap.join(', ')],
    ['groups', rights.groups.join(' ') || 'none', host.groups.join(' ') || 'none'],
    ['filter', filterText(rights), filterText(host)],
    ['new rights', newRights(rights), newRights(host)],
    ...(rights.label === undefined && host.label === undefined
      ? []
      : [['label', rights.label ?? 'none', host.label ?? 'none'] as [string, string, string]]),
    ['holds', `${rights.capabilities.length} of ${rights.all}`, `${host.capabilities.length} of ${host.all}`],
    ['may regain', `${rights.bounding} of ${rights.all}`, `${host.bounding} of ${host.all}`],
  ];
}

function rights({ box, view, width }: Drawing): Line[] {
  const { rights } = box;
  const column = Math.max(14, Math.floor((width - 12) / 2));
  return [
    note(`${' '.repeat(11)}${'PROCESS 1'.padEnd(column)} ON THE HOST`),
    ...rightsRows(rights, view.host.rights).map(
      ([name, own, hosts]): Line => ({
        text: `${name.padEnd(10)} ${own.padEnd(column)} ${hosts}`,
        key: `right ${name}`,
        watched: own,
      }),
    ),
    heading('capabilities of process 1'),
    ...wrapped(rights.capabilities, width).map(
      (text, index): Line => ({ text, key: `capabilities ${index}` }),
    ),
    ...(rights.capabilities.length === 0 ? [note('none')] : []),
  ];
}

const userText = ({ uid, gid }: RightsView): string => `${uid}:${gid}`;
const filterText = ({ seccomp }: RightsView): string =>
  seccomp === 'disabled' ? 'none' : `seccomp (${seccomp})`;
const newRights = ({ noNewPrivileges }: RightsView): string => (noNewPrivileges ? 'never' : 'by execve');

function log({ box }: Drawing): Line[] {
  if (box.log === undefined) return [note('it keeps no log that can be read')];
  return box.log.length === 0 ? [note('nothing yet')] : box.log.map(text => ({ text }));
}
