// /etc/hosts (hosts(5)): addresses and the names they are known by.

export interface HostsEntry {
  address: string;
  names: readonly string[];
}

/** What every container's file begins with, as in docker. */
const LOCAL: readonly HostsEntry[] = [
  { address: '127.0.0.1', names: ['localhost'] },
  { address: '::1', names: ['localhost', 'ip6-localhost', 'ip6-loopback'] },
  { address: 'fe00::', names: ['ip6-localnet'] },
  { address: 'ff00::', names: ['ip6-mcastprefix'] },
  { address: 'ff02::1', names: ['ip6-allnodes'] },
  { address: 'ff02::2', names: ['ip6-allrouters'] },
];

/** A container's file: the local names, then `entries` in their order. */
export function encodeHostsFile(entries: readonly HostsEntry[]): string {
  return [...LOCAL, ...entries].map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('');
}

export function decodeHostsFile(text: string): HostsEntry[] {
  return text.split('\n').flatMap(line => {
    const [address, ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
    return address && names.length > 0 ? [{ address, names }] : [];
  });
}

/** `--add-host name:address`, the address possibly IPv6 in brackets or not; undefined when it is none of that form. */
export function decodeExtraHost(text: string): { name: string; address: string } | undefined {
  const [, name, address] = /^([^:=\s]+)[:=](.+)$/.exec(text) ?? [];
  if (name === undefined || address === undefined) return undefined;
  return { name, address: address.replace(/^\[(.*)\]$/, '$1') };
}
