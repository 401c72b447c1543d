// A fresh Debian 12 as a newcomer has it: systemd, AppArmor, an ordinary user with sudo, git, npm and Debian's Node. It
// is made from Debian's packages once, and kept in .cache/machine.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type DebianArchitecture, debianSources } from '../vm/debian.ts';
import { repository, type VmArchitecture } from '../vm/image.ts';

/** The files of a machine: what it starts from, and what is made from. */
export function imageOf(architecture: VmArchitecture) {
  const directory = join(repository, '.cache/machine', architecture);
  return {
    directory,
    /** Not changed by the machines that start from it. */
    disk: join(directory, 'disk'),
    kernel: join(directory, 'vmlinuz'),
    initramfs: join(directory, 'initrd'),
    /** The private key that its user accepts. */
    key: join(directory, 'key'),
    /** Written last: the image that was made from other packages is made again. */
    marker: join(directory, 'made'),
  };
}

export const USER = 'newcomer';

const PACKAGES = [
  ...['apparmor', 'ca-certificates', 'dbus', 'dbus-user-session', 'initramfs-tools', 'iproute2', 'kmod'],
  ...['less', 'libpam-systemd', 'nftables', 'openssh-server', 'procps', 'sudo'],
  ...['systemd', 'systemd-sysv', 'udev', 'wget'],
  // What Debian's npm recommends brings libatomic1.
  ...['git', 'nodejs', 'npm', 'libatomic1'],
];

/** Not installed, but there for `apt-get install`, since the machine has no way to the outside. */
const LATER = ['uidmap', 'passt', 'slirp4netns', 'docker.io', 'lxcfs', 'busybox-static'];

const debianNames: Record<VmArchitecture, DebianArchitecture> = { x64: 'amd64', arm64: 'arm64' };

const recipe = (): string =>
  [readFileSync(import.meta.filename), readFileSync(join(repository, 'package-lock.json'))].join('\n');

/** The machine that this run of the tests was asked for. */
export function architectureToTest(): VmArchitecture | undefined {
  const wanted = process.env.MINI_DOCKER_TEST_MACHINE as VmArchitecture | undefined;
  return wanted && isMade(wanted) ? wanted : undefined;
}

export function isMade(architecture: VmArchitecture): boolean {
  const { marker } = imageOf(architecture);
  return existsSync(marker) && readFileSync(marker, 'utf8') === recipe();
}

/**
 * Takes some minutes. Programs of the other architecture must be able to run: foreign.ts.
 * @throws Error where Debian's packages cannot be had
 */
export function makeImage(architecture: VmArchitecture): void {
  const { directory, marker, ...image } = imageOf(architecture);
  mkdirSync(directory, { recursive: true });
  rmSync(marker, { force: true });
  const root = join(directory, 'root');
  rmSync(root, { recursive: true, force: true });
  installDebian(root, debianNames[architecture]);
  fillNpmCache(root, architecture);
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  addUser(root, image.key);
  const boot = join(root, 'boot');
  const find = (prefix: string) => join(boot, readdirSync(boot).find(name => name.startsWith(prefix))!);
  copyFileSync(find('vmlinuz-'), image.kernel);
  copyFileSync(find('initrd.img-'), image.initramfs);
  const disk = `${image.disk}.new`;
  writeFileSync(disk, '');
  truncateSync(disk, 8 * 2 ** 30);
  execFileSync('mkfs.ext4', ['-q', '-F', '-d', root, disk]);
  renameSync(disk, image.disk);
  rmSync(root, { recursive: true });
  writeFileSync(marker, recipe());
}

function installDebian(root: string, architecture: DebianArchitecture): void {
  const later = `chroot "$1" apt-get install -qq -y --download-only --no-install-recommends ${LATER.join(' ')}`;
  execFileSync(
    'mmdebstrap',
    [
      ...['--quiet', '--mode=root', '--variant=apt', '--skip=cleanup/apt,cleanup/reproducible'],
      // The check wants a package of its own, and only binfmt_misc of the whole machine.
      ...[`--architectures=${architecture}`, '--skip=check/qemu', '--aptopt=APT::Install-Recommends "false"'],
      `--include=${[...PACKAGES, `linux-image-cloud-${architecture}`].join(',')}`,
      ...[`--customize-hook=${later}`, 'bookworm', root, debianSources()],
    ],
    { stdio: 'inherit' },
  );
}

/** The cache of someone whose npm once had the packages: `npm ci --offline` finds them. */
function fillNpmCache(root: string, architecture: VmArchitecture): void {
  const clone = join(root, 'tmp/clone');
  mkdirSync(clone);
  for (const name of ['package.json', 'package-lock.json']) {
    copyFileSync(join(repository, name), join(clone, name));
  }
  const cache = join(root, 'root/.npm');
  // Debian's npm takes packages for either C library, and without one of them it leaves out the other, too.
  for (const libc of ['musl', 'glibc'])
    execFileSync(
      'npm',
      [
        ...['ci', '--ignore-scripts', '--no-audit', `--cpu=${architecture}`, `--libc=${libc}`],
        ...['--cache', cache],
      ],
      { cwd: clone, stdio: 'ignore' },
    );
  rmSync(clone, { recursive: true });
}

const FILES = {
  'etc/hostname': 'debian\n',
  'etc/resolv.conf': 'nameserver 10.0.2.3\n',
  'etc/hosts': '127.0.0.1 localhost\n127.0.1.1 debian\n::1 localhost ip6-localhost ip6-loopback\n',
  'etc/fstab': '/dev/vda / ext4 errors=remount-ro 0 1\n',
  'etc/systemd/network/wired.network':
    '[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n',
  'etc/sudoers.d/newcomer': `${USER} ALL=(ALL) NOPASSWD: ALL\n`,
  'etc/ssh/sshd_config.d/test.conf': 'UseDNS no\nPasswordAuthentication no\n',
} as const;

function addUser(root: string, key: string): void {
  const chroot = (...command: string[]) => execFileSync('chroot', [root, ...command]);
  chmodSync(join(root, 'etc/sudoers.d/newcomer'), 0o440);
  chroot('useradd', '--create-home', '--shell', '/bin/bash', '--groups', 'sudo', USER);
  chroot('systemctl', 'enable', '-q', 'systemd-networkd');
  rmSync(key, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const ssh = join(root, 'home', USER, '.ssh');
  mkdirSync(ssh, { mode: 0o700 });
  copyFileSync(`${key}.pub`, join(ssh, 'authorized_keys'));
  chroot('chown', '-R', `${USER}:`, `/home/${USER}/.ssh`);
}
