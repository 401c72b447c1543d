// The machine room: two hosts, which are network namespaces with names, and the cable between them. network_namespaces(7)
import { closeSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import {
  addAddress,
  CLONE,
  call,
  clone,
  createLink,
  decodeLink,
  deleteLink,
  getLink,
  inNetworkNamespace,
  LOOPBACK_INDEX,
  MNT,
  MS,
  mayFail,
  mount,
  openNetlink,
  openNetworkNamespace,
  setLink,
  setns,
  umount2,
  wait,
} from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import { BOX } from '../10-network/network.ts';

export interface Host {
  name: string;
  /** Its address on the cable. */
  address: string;
  /** The first three numbers of addresses on its box0, where chapter 10 connects boxes. */
  prefix: string;
}

export const hosts: readonly Host[] = [
  { name: 'one', address: '192.168.20.1', prefix: '10.88.1' },
  { name: 'two', address: '192.168.20.2', prefix: '10.88.2' },
];

/** Where `ip netns` looks for names, too. */
const fileOf = ({ name }: Host): string => `/run/netns/${name}`;

/** @throws Mistake */
export function hostNamed(name: string): Host {
  const found = hosts.find(each => each.name === name);
  if (found === undefined) throw new Mistake(`there is no host ${name}: there are one and two`);
  return found;
}

/** Makes both hosts, and the cable. */
export async function makeHosts(): Promise<void> {
  if (process.env.LEARN_SANDBOX === undefined)
    throw new Mistake('hosts are made in a sandbox only: bin/learn shell');
  for (const host of hosts) await makeHost(host);
  const [one, two] = hosts.map(host => openNetworkNamespace({ path: fileOf(host) }));
  inNetworkNamespace(one!, () => {
    using link = openNetlink();
    const peer = { name: 'cable', namespace: { fd: two! } };
    link.request(createLink({ name: 'cable', kind: 'veth', peer }));
  });
  for (const [index, fd] of [one!, two!].entries()) {
    inNetworkNamespace(fd, () => setUp(hosts[index]!));
    closeSync(fd);
  }
}

/** A namespace lives as long as its processes, or as long as it is mounted on a file. */
async function makeHost(host: Host): Promise<void> {
  mkdirSync('/run/netns', { recursive: true });
  try {
    writeFileSync(fileOf(host), '', { flag: 'wx' });
  } catch {
    throw new Mistake(`there is a host ${host.name} already: hosts down removes it`);
  }
  // The child ends at once. What it has mounted stays: it had no mount namespace of its own.
  const mounted = mount({ source: '/proc/self/ns/net', target: fileOf(host), flags: MS.BIND });
  await wait(clone(CLONE.NEWNET, [mounted]));
}

function setUp({ address }: Host): void {
  using inside = openNetlink();
  const { index } = inside.get(getLink('cable'), decodeLink)!;
  inside.request(setLink(LOOPBACK_INDEX, { up: true }));
  inside.request(addAddress({ link: index, address, prefixLength: 24 }));
  inside.request(setLink(index, { up: true }));
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
}

/** Processes that are still on a host keep their namespace, but lose the cable. */
export function removeHosts(): void {
  for (const host of hosts) {
    try {
      const fd = openNetworkNamespace({ path: fileOf(host) });
      inNetworkNamespace(fd, () => {
        using inside = openNetlink();
        inside.request(deleteLink('cable'), { mayFail: ['ENODEV'] });
      });
      closeSync(fd);
    } catch {
      // It was made only in part.
    }
    call(mayFail(umount2(fileOf(host), MNT.DETACH)));
    rmSync(fileOf(host), { force: true });
  }
}

/** Puts this program on a host, with all that it starts from now on. @throws Mistake */
export function enterHost(name: string): Host {
  const host = hostNamed(name);
  let fd: number;
  try {
    fd = openNetworkNamespace({ path: fileOf(host) });
  } catch {
    throw new Mistake('there are no hosts yet: hosts up makes them');
  }
  call(setns(fd, CLONE.NEWNET));
  closeSync(fd);
  process.env.BOX_HOST = name;
  BOX.prefix = host.prefix;
  return host;
}
