// A look at a machine with a web server, for tests of what is drawn of it.
import type { BoxView, RightsView, View } from '../../../formats/view.ts';

export const rights: RightsView = {
  uid: 0,
  gid: 0,
  groups: [],
  uidMap: ['0 0 4294967295'],
  capabilities: ['CHOWN', 'KILL'],
  bounding: 14,
  all: 41,
  noNewPrivileges: false,
  seccomp: 'filter',
};

const traffic = { bytes: 1200, packets: 12, dropped: 0 };

export const web: BoxView = {
  id: 'a'.repeat(64),
  pid: 4711,
  processes: [
    { pid: 4711, parent: 1, inside: 1, uid: 0, state: 'S', cpu: 1e9, memory: 4e6, command: 'nginx: master' },
    {
      pid: 4712,
      parent: 4711,
      inside: 7,
      uid: 101,
      state: 'S',
      cpu: 0,
      memory: 3e6,
      command: 'nginx: worker',
    },
    { pid: 4713, parent: 4711, inside: 8, uid: 0, state: 'Z', cpu: 0, memory: 0, command: '[sh]' },
  ],
  more: 0,
  namespaces: [
    { type: 'pid', inode: 4026532100, hosts: 4026531836, others: [], pids: [4711, 4712, 4713] },
    { type: 'net', inode: 4026532105, hosts: 4026531840, others: ['sidecar'], pids: [4711, 4712] },
    { type: 'user', inode: 4026531837, hosts: 4026531837, others: ['sidecar'], pids: [4711, 4712] },
  ],
  mounts: [
    {
      inode: 4026532101,
      pid: 4711,
      mounts: [
        {
          id: 50,
          parent: 20,
          point: '/',
          type: 'overlay',
          source: 'overlay',
          readonly: false,
          propagation: '',
          layers: ['/l/top', '/l/1'],
        },
        {
          id: 51,
          parent: 50,
          point: '/proc',
          type: 'proc',
          source: 'proc',
          readonly: false,
          propagation: '',
        },
        {
          id: 52,
          parent: 51,
          point: '/proc/keys',
          type: 'tmpfs',
          source: 'tmpfs',
          readonly: true,
          propagation: '',
        },
        {
          id: 53,
          parent: 50,
          point: '/data',
          type: 'ext4',
          source: '/dev/vda',
          root: '/srv',
          readonly: false,
          propagation: 'master:1',
        },
      ],
      more: false,
    },
  ],
  groups: [
    {
      path: '/mini-docker/aaaa',
      version: 2,
      pids: [4711],
      cpu: { used: 1e9, limit: 1.5, throttled: 2e9 },
      memory: { used: 32 << 20, limit: 64 << 20 },
      tasks: { used: 3 },
      io: { read: 4096, written: 0 },
      pressure: { cpu: 10, memory: 0, io: 0 },
    },
  ],
  networks: [
    {
      inode: 4026532105,
      pid: 4711,
      links: [
        {
          name: 'eth0',
          kind: 'veth',
          up: true,
          mac: '02:42:ac:11:00:02',
          mtu: 1500,
          addresses: ['172.17.0.2/16'],
          received: traffic,
          sent: traffic,
          peer: { name: 'veth-1', bridge: 'mini-0', bridgeAddresses: ['172.17.0.1/16'] },
        },
      ],
      listening: [{ protocol: 'tcp', address: '0.0.0.0', port: 80 }],
    },
  ],
  published: ['0.0.0.0:8080 -> 80/tcp'],
  rights,
  log: ['first line', 'last line'],
};

export function viewAt(seconds: number, chosen: BoxView = web): View {
  return {
    at: seconds * 1000,
    host: {
      name: 'host',
      kernel: '6.18.0',
      cpus: 2,
      cpu: { busy: 100 * seconds, total: 200 * seconds },
      memory: { used: 2 ** 30, limit: 2 ** 32 },
      load: [0.5, 0.4, 0.3],
      tasks: 312,
      pressure: { cpu: 3, memory: 0, io: 0 },
      rights: { ...rights, capabilities: ['SYS_ADMIN'], seccomp: 'disabled' },
    },
    boxes: [
      {
        id: web.id,
        name: 'web',
        image: 'nginx',
        status: 'running',
        note: 'Up 2 minutes',
        published: web.published,
        usage: { at: seconds * 1000, cpu: seconds * 5e8, memory: 32 << 20, tasks: 3 },
      },
      {
        id: 'b'.repeat(64),
        name: 'db',
        image: 'postgres',
        status: 'exited',
        note: 'Exited (1) 3 minutes ago',
      },
    ],
    bridges: [
      {
        name: 'mini-0',
        up: true,
        addresses: ['172.17.0.1/16'],
        ports: [
          { name: 'veth-1', up: true, end: { box: 'web', link: 'eth0' } },
          { name: 'tap9', up: false },
        ],
      },
    ],
    wanted: web.id,
    chosen,
  };
}
