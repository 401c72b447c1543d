// mini-docker-runtime under version 2 of control groups: run by v2.long.test.ts.
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bundle, OURS } from '../../mini-docker/oci-runtime/testing/bundle.ts';

let bundle: Bundle;
beforeAll(() => {
  bundle = new Bundle(OURS);
});
afterAll(() => bundle[Symbol.asyncDispose]());

const directory = (): string => `/sys/fs/cgroup${bundle.cgroup}/c`;
const setting = (file: string): string => readFileSync(`${directory()}/${file}`, 'utf8').trim();
const well = (...args: string[]): string => {
  const { code, stdout, stderr } = bundle.call(...args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
  return stdout;
};

test('limits of all kinds are in force, can be changed, and go with the container', async () => {
  bundle.configure(['sleep', '1000'], spec => {
    spec.linux.devices = [{ type: 'c', path: '/dev/kmsg', major: 1, minor: 11 }];
    spec.linux.resources = {
      ...spec.linux.resources,
      memory: { limit: 64 << 20, swap: 96 << 20, reservation: 32 << 20 },
      cpu: { quota: 50_000, period: 100_000, shares: 512, cpus: '0' },
      pids: { limit: 20 },
      unified: { 'memory.high': '50331648' },
    };
  });
  expect(bundle.create('c')).toMatchObject({ code: 0, stderr: '' });
  well('start', 'c');
  const files = [
    'memory.max',
    'memory.swap.max',
    'memory.low',
    'memory.high',
    'cpu.max',
    'cpuset.cpus',
    'pids.max',
  ];
  expect(files.map(setting)).toEqual(
    [64 << 20, 32 << 20, 32 << 20, 48 << 20, '50000 100000', 0, 20].map(String),
  );
  // cpu.weight for 512 shares, by the old conversion or the new one.
  expect(['20', '59']).toContain(setting('cpu.weight'));
  const seen = well(
    'exec',
    'c',
    'sh',
    '-c',
    'cat /proc/self/cgroup; cat /sys/fs/cgroup/pids.max; cat /dev/kmsg 2>&1 || true',
  );
  expect(seen).toBe("0::/\n20\ncat: can't open '/dev/kmsg': Operation not permitted\n");

  well('update', '--memory', String(80 << 20), '--memory-swap', String(80 << 20), '--pids-limit', '30', 'c');
  expect(['memory.max', 'memory.swap.max', 'pids.max'].map(setting)).toEqual([String(80 << 20), '0', '30']);
  const { data } = JSON.parse(well('events', '--stats', 'c'));
  expect(data).toMatchObject({ memory: { usage: { limit: 80 << 20 } }, pids: { current: 1, limit: 30 } });
  expect(data.memory.usage.usage).toBeGreaterThan(0);
  expect(data.cpu.usage.total).toBeGreaterThan(0);

  well('pause', 'c');
  expect(setting('cgroup.freeze')).toBe('1');
  expect(well('state', 'c')).toContain('"paused"');
  well('delete', '--force', 'c');
  expect(existsSync(directory())).toBe(false);
});

test('root of a user namespace sees the control groups, its own as their root or the whole tree', () => {
  chmodSync(bundle.directory, 0o755);
  for (const [own, seen] of [
    [true, '0::/\n'],
    [false, `0::${bundle.cgroup}/c\n`],
  ] as const) {
    bundle.configure(
      'cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs; cat /proc/self/uid_map',
      spec => {
        const { namespaces } = spec.linux;
        spec.linux.namespaces = namespaces.filter(({ type }) => own || type !== 'cgroup');
        spec.linux.namespaces.push({ type: 'user' });
        spec.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
        spec.linux.gidMappings = [{ containerID: 0, hostID: 200_000, size: 1000 }];
      },
    );
    expect(well('run', 'c')).toBe(`${seen}/sys/fs/cgroup/cgroup.procs\n         0     100000       1000\n`);
  }
});

test('spec writes a cgroup namespace, as runc does on such a machine', () => {
  well('spec', '--bundle', `${bundle.directory}/rootfs`);
  const { linux } = JSON.parse(readFileSync(`${bundle.directory}/rootfs/config.json`, 'utf8'));
  expect(linux.namespaces).toContainEqual({ type: 'cgroup' });
});
