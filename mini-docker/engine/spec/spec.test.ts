import { expect, test } from 'vitest';
import type { ContainerConfig, HostConfig } from '../../formats/engine-api/containers.ts';
import type { RecordMount } from '../state/record.ts';
import { testFacts } from '../testing/facts.ts';
import { testRecord } from '../testing/record.ts';
import { buildSpec, type SpecInput } from './spec.ts';

const root = { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root' };

function build(
  options: { config?: ContainerConfig; host?: HostConfig; mounts?: RecordMount[] } & Partial<SpecInput> = {},
) {
  const { config, host, mounts, ...input } = options;
  const record = { ...testRecord({ config: config ?? {}, host: host ?? {} }), mounts: mounts ?? [] };
  return buildSpec({
    record,
    facts: testFacts,
    user: root,
    rootfs: '/run/mini-docker/containers/ID/rootfs',
    etcFiles: { hostname: '/d/hostname', hosts: '/d/hosts', resolvConf: '/d/resolv.conf' },
    joined: {},
    granted: [],
    hostDevices: [],
    ...input,
  });
}

/** Without the filter of system calls, which is long and has its own tests. */
const golden = (spec: ReturnType<typeof build>) =>
  `${JSON.stringify({ ...spec, linux: { ...spec.linux, seccomp: undefined } }, null, 2)}\n`;
const types = (spec: ReturnType<typeof build>) => spec.linux.namespaces.map(each => each.type);
const mountAt = (spec: ReturnType<typeof build>, destination: string) =>
  spec.mounts.filter(mount => mount.destination === destination);

test('a container without any option is confined as docker confines it', async () => {
  await expect(golden(build())).toMatchFileSnapshot('golden/spec-default.txt');
});

test('a container with many options', async () => {
  const spec = build({
    config: {
      Hostname: 'web',
      Domainname: 'example',
      Tty: true,
      WorkingDir: '/srv',
      Env: ['A=1', 'PATH=/bin', 'HOSTNAME'],
      User: 'www',
    },
    host: {
      ReadonlyRootfs: true,
      CapAdd: ['NET_ADMIN'],
      CapDrop: ['MKNOD'],
      Memory: 64 << 20,
      NanoCpus: 5e8,
      PidsLimit: 100,
      CpusetCpus: '0',
      Ulimits: [{ Name: 'nofile', Soft: 64, Hard: 128 }],
      Sysctls: { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '65536' },
      SecurityOpt: ['no-new-privileges'],
      Tmpfs: { '/run': 'size=1m,exec' },
      ConsoleSize: [40, 120],
      OomScoreAdj: 100,
    },
    mounts: [
      { Type: 'bind', Source: '/src', Destination: '/data', Mode: 'ro', RW: false, Propagation: 'rslave' },
      {
        Type: 'volume',
        Name: 'v',
        Source: '/v/_data',
        Destination: '/data/in',
        Mode: 'z',
        RW: true,
        Propagation: '',
      },
    ],
    user: { uid: 33, gid: 33, additionalGids: [33], home: '/var/www' },
  });
  await expect(golden(spec)).toMatchFileSnapshot('golden/spec-options.txt');
});

test('a privileged container has all capabilities and devices, and nothing is hidden from it', () => {
  const spec = build({
    host: { Privileged: true, MaskedPaths: [], ReadonlyPaths: [] },
    hostDevices: [{ type: 'b', path: '/dev/sda', major: 8, minor: 0 }],
  });
  expect(spec.process.capabilities?.effective).toHaveLength(testFacts.capabilities.size);
  expect(spec.linux.maskedPaths).toEqual([]);
  expect(spec.linux.devices).toContainEqual({ type: 'b', path: '/dev/sda', major: 8, minor: 0 });
  expect(spec.linux.resources?.devices).toEqual([{ allow: true, access: 'rwm' }]);
  expect(mountAt(spec, '/sys')[0]?.options).toContain('rw');
});

test("each namespace is new, the host's, or another container's", () => {
  expect(types(build())).toEqual(['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup']);
  const host = build({
    host: { NetworkMode: 'host', PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' },
    shmDirectory: '/dev/shm',
  });
  expect(types(host)).toEqual(['mount']);
  expect(host.hostname).toBeUndefined();
  expect(mountAt(host, '/dev/shm')[0]).toMatchObject({ type: 'bind', source: '/dev/shm' });
  const shared = build({
    host: { NetworkMode: 'container:a', PidMode: 'container:a', IpcMode: 'container:a' },
    joined: { network: 7, pid: 7, ipc: 7 },
  });
  expect(shared.linux.namespaces).toContainEqual({ type: 'network', path: '/proc/7/ns/net' });
  expect(shared.linux.namespaces).toContainEqual({ type: 'pid', path: '/proc/7/ns/pid' });
});

test('a user other than root has no effective capability', () => {
  const { capabilities } = build({ user: { uid: 1, gid: 1, additionalGids: [], home: '/' } }).process;
  expect(capabilities?.effective).toEqual([]);
  expect(capabilities?.permitted).toEqual([]);
  expect(capabilities?.bounding).toHaveLength(14);
});

test('sysctls of the host cannot be set, and those of a shared namespace neither', () => {
  expect(() => build({ host: { Sysctls: { 'kernel.core_pattern': 'x' } } })).toThrow(
    'not in a separate kernel namespace',
  );
  expect(() => build({ host: { Sysctls: { 'vm.swappiness': '1' } } })).toThrow(
    'not in a separate kernel namespace',
  );
  expect(() => build({ host: { NetworkMode: 'host', Sysctls: { 'net.ipv4.ip_forward': '1' } } })).toThrow(
    'no network namespace of its own',
  );
  expect(() => build({ host: { Sysctls: { 'net/../kernel/core_pattern': 'x' } } })).toThrow('invalid sysctl');
  expect(build({ host: { NetworkMode: 'host' } }).linux.sysctl).toEqual({});
});

test("a user's mount replaces a default one at the same place", () => {
  const bind = (destination: string): RecordMount => ({
    Type: 'bind',
    Source: '/mine',
    Destination: destination,
    Mode: '',
    RW: true,
    Propagation: 'rprivate',
  });
  expect(mountAt(build({ mounts: [bind('/etc/hosts')] }), '/etc/hosts')).toMatchObject([{ source: '/mine' }]);
  const dev = build({ mounts: [bind('/dev')] });
  expect(dev.mounts.filter(mount => mount.destination.startsWith('/dev'))).toHaveLength(1);
});

test('a mount that passes on others makes the root pass them on', () => {
  const mount: RecordMount = {
    Type: 'bind',
    Source: '/s',
    Destination: '/s',
    Mode: '',
    RW: true,
    Propagation: 'rslave',
  };
  expect(build().linux.rootfsPropagation).toBeUndefined();
  expect(build({ mounts: [mount] }).linux.rootfsPropagation).toBe('slave');
  expect(build({ mounts: [{ ...mount, Propagation: 'shared' }] }).linux.rootfsPropagation).toBe('shared');
});

test('unknown limits and options are refused by name', () => {
  expect(() => build({ host: { Ulimits: [{ Name: 'nope', Soft: 1, Hard: 1 }] } })).toThrow(
    'invalid ulimit type: nope',
  );
  expect(() => build({ host: { SecurityOpt: ['nope'] } })).toThrow('invalid --security-opt: "nope"');
});

test('the filter of system calls follows from capabilities and options', () => {
  const allows = (host: HostConfig, name: string) =>
    build({ host }).linux.seccomp?.syscalls.some(({ names }) => names.includes(name));
  expect(allows({}, 'read')).toBe(true);
  expect(allows({}, 'mount')).toBe(false);
  expect(allows({ CapAdd: ['SYS_ADMIN'] }, 'mount')).toBe(true);
  expect(allows({ SecurityOpt: ['seccomp=unconfined'] }, 'read')).toBeUndefined();
  expect(allows({ Privileged: true }, 'read')).toBeUndefined();
  const own =
    'seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"mkdir","action":"SCMP_ACT_ERRNO"}]}';
  expect(allows({ SecurityOpt: [own] }, 'read')).toBe(false);
  expect(allows({ SecurityOpt: [own], Privileged: true }, 'mkdir')).toBe(true);
  expect(allows({ SecurityOpt: ['seccomp={}'] }, 'read')).toBeUndefined();
  // The same object, so that it is compiled once.
  expect(build().linux.seccomp).toBe(build().linux.seccomp);
  expect(() => build({ host: { SecurityOpt: ['seccomp={"defaultAction":"NO"}'] } })).toThrow(
    'Decoding seccomp profile failed: seccomp profile.defaultAction: unknown "NO"',
  );
});

test('labels and profiles are for kernels that know them', () => {
  const refused = (option: string) => expect(() => build({ host: { SecurityOpt: [option] } }));
  refused('apparmor=mine').toThrow('--security-opt apparmor=mine: this kernel runs without AppArmor');
  refused('label=type:mine_t').toThrow('--security-opt label=type:mine_t: this kernel runs without SELinux');
  refused('label=nonsense').toThrow('invalid --security-opt');
  const facts = { ...testFacts, apparmor: true, selinux: true };
  const options = ['apparmor=mine', 'label=type:mine_t', 'label=level:s0:c1,c2', 'no-new-privileges:true'];
  expect(build({ host: { SecurityOpt: options }, facts }).process).toMatchObject({
    apparmorProfile: 'mine',
    selinuxLabel: 'system_u:system_r:mine_t:s0:c1,c2',
    noNewPrivileges: true,
  });
});

test.each([
  ['', '/mini-docker/ID'],
  ['/mine', '/mine/ID'],
  ['mine/', '/mine/ID'],
  ['../../..', '/ID'],
  ['/a/../../b', '/b/ID'],
])('the parent %j of the control group does not lead out of the hierarchy', (CgroupParent, path) => {
  const { cgroupsPath } = build({ host: { CgroupParent } }).linux;
  expect(cgroupsPath!.replace(/[0-9a-f]{64}/, 'ID')).toBe(path);
});
