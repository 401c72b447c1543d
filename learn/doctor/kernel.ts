// Checks of the kernel's features.
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { hierarchies } from '../sandbox/groups.ts';
import type { Finding } from './finding.ts';

const read = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;

export function kernel(): Finding {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const found = `Linux ${release()}, ${process.arch}`;
  if (process.arch !== 'x64' && process.arch !== 'arm64') {
    return {
      subject: 'kernel',
      state: 'missing',
      found,
      means: 'the course supports only x86-64 and arm64',
      mend: 'use a machine with such a processor, real or virtual',
    };
  }
  if (major < 5 || (major === 5 && minor < 12)) {
    return {
      subject: 'kernel',
      state: 'missing',
      found,
      means: 'it lacks system calls that the course makes (mount_setattr, 5.12)',
      mend: 'use a newer kernel: that of any distribution from 2022 or later',
    };
  }
  return { subject: 'kernel', state: 'good', found };
}

const KINDS = ['mnt', 'pid', 'net', 'uts', 'ipc', 'user', 'cgroup', 'time'];

export function namespaces(): Finding {
  const missing = KINDS.filter(kind => !existsSync(`/proc/self/ns/${kind}`));
  const found = missing.length === 0 ? `all ${KINDS.length} kinds` : `all but ${missing.join(', ')}`;
  if (missing.length === 0) return { subject: 'namespaces', state: 'good', found };
  return {
    subject: 'namespaces',
    state: missing.some(kind => kind !== 'time' && kind !== 'cgroup') ? 'missing' : 'limited',
    found,
    means: 'the kernel was built without them',
    mend: "use a distribution's own kernel",
  };
}

export function overlay(): Finding {
  const known = /\boverlay$/m.test(read('/proc/filesystems') ?? '');
  if (known) return { subject: 'overlay', state: 'good', found: 'supported by the kernel' };
  return {
    subject: 'overlay',
    state: 'limited',
    found: 'not loaded',
    means: 'sandboxes are read-only outside /tmp, and chapter 8 does not work',
    mend: 'modprobe overlay (as root)',
  };
}

export function controlGroups(): Finding {
  const subject = 'control groups';
  const found = hierarchies();
  if (found.length === 0) {
    return {
      subject,
      state: 'missing',
      found: 'none mounted',
      means: 'chapter 7 does not work',
      mend: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
    };
  }
  const versions = [...new Set(found.map(({ version }) => `v${version}`))].join(' and ');
  const controllers = [...new Set(found.flatMap(each => each.controllers))];
  const missing = ['memory', 'pids', 'cpu'].filter(name => !controllers.includes(name));
  const text = `${versions}: ${controllers.join(' ')}`;
  if (missing.length === 0) return { subject, state: 'good', found: text };
  return {
    subject,
    state: 'limited',
    found: text,
    means: `${missing.join(', ')} missing: parts of chapter 7 do not work`,
    mend: missing.includes('memory')
      ? 'on a Raspberry Pi, put cgroup_enable=memory into cmdline.txt'
      : "use a distribution's own kernel",
  };
}

export function userNamespaces(): Finding {
  const subject = 'without root';
  const limit = Number(read('/proc/sys/user/max_user_namespaces') ?? 0);
  if (limit === 0) {
    return {
      subject,
      state: 'limited',
      found: 'user namespaces are switched off',
      means: 'the course needs sudo',
      mend: 'sysctl -w user.max_user_namespaces=10000, or use sudo',
    };
  }
  if (read('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return {
      subject,
      state: 'limited',
      found: 'only root may make user namespaces',
      means: 'the course needs sudo',
      mend: 'sysctl -w kernel.unprivileged_userns_clone=1, or use sudo',
    };
  }
  if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      subject,
      state: 'limited',
      found: 'AppArmor restricts user namespaces (Ubuntu since 23.10)',
      means: 'the course needs sudo',
      mend: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or use sudo',
    };
  }
  return { subject, state: 'good', found: 'every user may make user namespaces' };
}
