// The config.json that `spec` writes: the same container as runc's.
import { existsSync } from 'node:fs';
import { OCI_VERSION } from './container-state.ts';

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
const HARDENED = ['nosuid', 'noexec', 'nodev'];

export function exampleSpec(rootless: boolean): object {
  const own = (id: number) => [{ containerID: 0, hostID: id, size: 1 }];
  const types = [
    'pid',
    ...(rootless ? [] : ['network']),
    'ipc',
    'uts',
    'mount',
    ...(rootless ? ['user'] : []),
    // As from runc: with version 1 a container sees the paths of the host.
    ...(existsSync('/sys/fs/cgroup/cgroup.controllers') ? ['cgroup'] : []),
  ];
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
        ambient: CAPABILITIES,
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'mini-docker',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: [
          'nosuid',
          'noexec',
          'newinstance',
          'ptmxmode=0666',
          'mode=0620',
          ...(rootless ? [] : ['gid=5']),
        ],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: [...HARDENED, 'mode=1777', 'size=65536k'],
      },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: HARDENED },
      rootless
        ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...HARDENED, 'ro'] }
        : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...HARDENED, 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: [...HARDENED, 'relatime', 'ro'],
      },
    ],
    linux: {
      ...(rootless
        ? { uidMappings: own(process.geteuid!()), gidMappings: own(process.getegid!()) }
        : { resources: { devices: [{ allow: false, access: 'rwm' }] } }),
      namespaces: types.map(type => ({ type })),
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/sys/firmware',
        '/proc/scsi',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}
