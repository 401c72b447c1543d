import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CommandError } from '../errors.ts';
import { parseFlags } from '../flags/flags.ts';
import { createBody } from './create-body.ts';
import { CREATE_FLAGS } from './create-flags.ts';
import { decodeGpus } from './gpus.ts';

function body(line: string[], environment: NodeJS.ProcessEnv = {}) {
  const { flags, args } = parseFlags(CREATE_FLAGS, [...line, 'image', 'cmd', '-x'], { interspersed: false });
  return createBody({ flags, image: args[0]!, command: args.slice(1), environment });
}

test('without flags: attached to output, no input, the default network', () => {
  expect(body([])).toMatchObject({
    Image: 'image',
    Cmd: ['cmd', '-x'],
    Entrypoint: null,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    OpenStdin: false,
    HostConfig: { NetworkMode: 'default', AutoRemove: false, Binds: [] },
    NetworkingConfig: { EndpointsConfig: {} },
  });
});

test.each<[string, object]>([
  ['-it', { Tty: true, OpenStdin: true, StdinOnce: true, AttachStdin: true }],
  ['-a stderr', { AttachStdout: false, AttachStderr: true }],
  ['--entrypoint sh', { Entrypoint: ['sh'] }],
  ['-u 1:2 -w /x -h box --domainname d', { User: '1:2', WorkingDir: '/x', Hostname: 'box', Domainname: 'd' }],
  ['-l a=1 -l b', { Labels: { a: '1', b: '' } }],
  ['--stop-signal INT --stop-timeout 3', { StopSignal: 'INT', StopTimeout: 3 }],
  [
    '--health-cmd true --health-interval 5s --health-retries 2',
    { Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 5e9, Retries: 2 } },
  ],
  ['--no-healthcheck', { Healthcheck: { Test: ['NONE'] } }],
  ['-p 8080:80 -p 81:80 --expose 90', { ExposedPorts: { '80/tcp': {}, '90/tcp': {} } }],
  ['-v /data', { Volumes: { '/data': {} } }],
])('%s', (line, expected) => {
  expect(body(line.split(' '))).toMatchObject(expected);
});

test.each<[string, object]>([
  [
    '-m 64m --memory-swap -1 --memory-reservation 32m',
    { Memory: 67108864, MemorySwap: -1, MemoryReservation: 33554432 },
  ],
  ['--cpus 1.5 -c 512 --cpuset-cpus 0-1', { NanoCpus: 1_500_000_000, CpuShares: 512, CpusetCpus: '0-1' }],
  ['--pids-limit 20', { PidsLimit: 20 }],
  [
    '--memory-swappiness 5 --oom-kill-disable --oom-score-adj -5',
    { MemorySwappiness: 5, OomKillDisable: true, OomScoreAdj: -5 },
  ],
  [
    '--device-read-bps /dev/sda:1mb --device-write-iops /dev/sda:7',
    {
      BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1048576 }],
      BlkioDeviceWriteIOps: [{ Path: '/dev/sda', Rate: 7 }],
    },
  ],
  ['--restart on-failure:3', { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } }],
  [
    '--rm --privileged --read-only --init -P',
    { AutoRemove: true, Privileged: true, ReadonlyRootfs: true, Init: true, PublishAllPorts: true },
  ],
  [
    '--cap-add NET_ADMIN --cap-drop all --group-add 5',
    { CapAdd: ['NET_ADMIN'], CapDrop: ['all'], GroupAdd: ['5'] },
  ],
  [
    '--device /dev/a --device /dev/a:/dev/b:r --device /dev/c:rw',
    {
      Devices: [
        { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'rwm' },
        { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'r' },
        { PathOnHost: '/dev/c', PathInContainer: '/dev/c', CgroupPermissions: 'rw' },
      ],
    },
  ],
  [
    '--ulimit nofile=5:10 --ulimit core=-1',
    {
      Ulimits: [
        { Name: 'nofile', Soft: 5, Hard: 10 },
        { Name: 'core', Soft: -1, Hard: -1 },
      ],
    },
  ],
  [
    '--sysctl a.b=1 --tmpfs /t:size=1m --tmpfs /u --shm-size 5m',
    { Sysctls: { 'a.b': '1' }, Tmpfs: { '/t': 'size=1m', '/u': '' }, ShmSize: 5242880 },
  ],
  [
    '-v a:/b:ro --volumes-from c:ro --mount type=tmpfs,target=/y',
    { Binds: ['a:/b:ro'], VolumesFrom: ['c:ro'], Mounts: [{ Type: 'tmpfs', Target: '/y' }] },
  ],
  [
    '-p 127.0.0.1:81:80/udp -p 82:80/udp',
    {
      PortBindings: {
        '80/udp': [
          { HostIp: '127.0.0.1', HostPort: '81' },
          { HostIp: '', HostPort: '82' },
        ],
      },
    },
  ],
  [
    '--pid host --ipc container:a --uts host --userns host --cgroupns private',
    { PidMode: 'host', IpcMode: 'container:a', UTSMode: 'host', UsernsMode: 'host', CgroupnsMode: 'private' },
  ],
  [
    '--add-host a:1.2.3.4 --add-host b=[::1] --dns 1.1.1.1 --dns-option x --dns-search y',
    { ExtraHosts: ['a:1.2.3.4', 'b:::1'], Dns: ['1.1.1.1'], DnsOptions: ['x'], DnsSearch: ['y'] },
  ],
  [
    '--log-driver json-file --log-opt max-size=1m --link db --link db:x',
    { LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } }, Links: ['db:db', 'db:x'] },
  ],
  [
    '--security-opt no-new-privileges --security-opt systempaths=unconfined',
    { SecurityOpt: ['no-new-privileges'], MaskedPaths: [], ReadonlyPaths: [] },
  ],
  ['--net none', { NetworkMode: 'none' }],
])('%s in HostConfig', (line, expected) => {
  expect(body(line.split(' ')).HostConfig).toMatchObject(expected);
});

test('the first network takes the flags for it, further ones their own', () => {
  const endpoints = (line: string) => body(line.split(' ')).NetworkingConfig?.EndpointsConfig;
  expect(endpoints('--network front --network-alias web --ip 10.0.0.5')).toEqual({
    front: { Aliases: ['web'], IPAMConfig: { IPv4Address: '10.0.0.5' } },
  });
  expect(endpoints('--network name=front,alias=a,alias=b,ip=10.0.0.5 --network back')).toEqual({
    front: { Aliases: ['a', 'b'], IPAMConfig: { IPv4Address: '10.0.0.5' } },
    back: {},
  });
  expect(endpoints('--network host')).toEqual({});
});

test('variables come from files, then from flags, and from our own environment by name', () => {
  const directory = mkdtempSync('/tmp/mini-docker-env-');
  writeFileSync(`${directory}/env`, '# a file\nA=1\nHOME\n');
  try {
    const line = ['--env-file', `${directory}/env`, '-e', 'A=2', '-e', 'TERM', '-e', 'NOPE'];
    expect(body(line, { HOME: '/root', TERM: 'xterm' }).Env).toEqual([
      'A=1',
      'HOME=/root',
      'A=2',
      'TERM=xterm',
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a seccomp profile travels as its text, with numbers of 64 bits as they are', () => {
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-flags-'));
  try {
    const file = join(directory, 'profile.json');
    writeFileSync(file, '{ "a b" : [ 18446744073709551615 ],\n  "c": "\\" d" }');
    expect(body(['--security-opt', `seccomp=${file}`, 'busybox']).HostConfig?.SecurityOpt).toEqual([
      'seccomp={"a b":[18446744073709551615],"c":"\\" d"}',
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.each([
  ['--rm --restart always', 'conflicting options: cannot specify both --restart and --rm'],
  ['--pid nonsense', '--pid: invalid PID mode'],
  ['--no-healthcheck --health-cmd x', '--no-healthcheck conflicts with --health-* options'],
  ['--env-file /nope', 'open /nope: no such file or directory'],
  [
    '--security-opt seccomp=/nope',
    'opening seccomp profile (/nope) failed: open /nope: no such file or directory',
  ],
  ['--log-driver none --log-opt a=b', 'invalid logging opts for driver none'],
  ['-p 99999:80', 'invalid hostPort: 99999'],
  ['--memory-swappiness 101', 'invalid value: 101. Valid memory swappiness range is 0-100'],
  [
    '--network name=a,ip=10.0.0.1 --ip 10.0.0.2',
    'conflicting options: cannot specify both --ip and per-network ip',
  ],
  [
    '--device-cgroup-rule x',
    'invalid argument "x" for "--device-cgroup-rule" flag: invalid device cgroup format \'x\'',
  ],
])('%s is refused with exit code 125', (line, message) => {
  let thrown: unknown;
  try {
    body(line.split(' '));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CommandError);
  expect(thrown).toMatchObject({ message, exitCode: 125 });
});

test('--gpus is an entry of DeviceRequests', () => {
  expect(decodeGpus('all')).toEqual({ Driver: '', Count: -1, Capabilities: [['gpu']] });
  expect(decodeGpus('"device=0,1",capabilities=compute')).toEqual({
    Driver: '',
    Count: 0,
    DeviceIDs: ['0', '1'],
    Capabilities: [['compute', 'gpu']],
  });
  expect(() => decodeGpus('foo=bar')).toThrow("unexpected key 'foo' in 'foo=bar'");
});
