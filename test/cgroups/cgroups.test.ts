// What a cgroup driver promises, with the cgroups of this machine; v2.long.test.ts has it promised in a virtual machine too.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { DeviceRule } from '../../mini-docker/formats/oci/runtime-spec.ts';
import { call } from '../../mini-docker/linux/call.ts';
import { resetSignals, startChild } from '../../mini-docker/linux/child.ts';
import { reap, watchExit } from '../../mini-docker/linux/exits.ts';
import { close, execve } from '../../mini-docker/linux/syscalls.ts';
import type { Cgroup } from '../../mini-docker/runtime/cgroups/cgroup.ts';
import { createCgroup, openCgroup } from '../../mini-docker/runtime/cgroups/create.ts';
import { busybox, eventually, fileOf, isAlive, runInside, temporaryCgroup, version } from './inside.ts';

const MiB = 1024 * 1024;

/** What Docker gives every container. */
const usualDevices: DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'r' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

// Under the other version these are no tests.
const test2 = version === 2 ? test : () => {};
const test1 = version === 1 ? test : () => {};

test('a process that was moved in is in the cgroup in every hierarchy', async () => {
  await using cgroup = temporaryCgroup();
  const { pid } = runInside(cgroup, 'sleep 100');
  assert.deepEqual(pathsOf(pid), new Set([cgroup.path]));
  assert.ok(cgroup.processes().includes(pid));
});

test('a child program that joins is in the cgroup before its first instruction of its own', async () => {
  await using cgroup = temporaryCgroup();
  const argv = ['busybox', 'sh', '-c', 'sleep 100'];
  const child = startChild([...cgroup.joinSteps(), ...resetSignals(), execve(busybox, argv, [])]);
  await child.executed;
  assert.deepEqual(pathsOf(child.pid), new Set([cgroup.path]));
  cgroup.kill();
  await watchExit(child.pidfd);
  assert.equal(reap(child.pidfd)?.signal, 9);
  call(close(child.pidfd));
});

test('a process that takes more memory than the limit is killed, and the kill is counted', async () => {
  await using cgroup = temporaryCgroup({ memory: { limit: 32 * MiB, swap: 32 * MiB } });
  assert.equal(cgroup.oomKills(), 0);
  const fits = await runInside(cgroup, 'exec dd if=/dev/zero of=/dev/null bs=8M count=1').ended;
  assert.equal(fits.code, 0, fits.output);
  const { signal } = await runInside(cgroup, 'exec dd if=/dev/zero of=/dev/null bs=128M count=1').ended;
  assert.equal(signal, 'SIGKILL');
  assert.equal(cgroup.oomKills(), 1);
});

test('kills for want of memory are told when they happen, each cgroup its own', async () => {
  const memory = { limit: 32 * MiB, swap: 32 * MiB };
  await using cgroup = temporaryCgroup({ memory });
  await using other = temporaryCgroup({ memory });
  let [told, toldOther] = [0, 0];
  const watch = cgroup.watchOomKills(() => told++);
  const watchOther = other.watchOomKills(() => toldOther++);
  const bomb = 'exec dd if=/dev/zero of=/dev/null bs=128M count=1';
  for (const times of [1, 2]) {
    await runInside(cgroup, bomb).ended;
    await eventually('the news of a kill', () => told === times);
  }
  assert.equal(toldOther, 0);
  watch.stop();
  await runInside(cgroup, bomb).ended;
  await runInside(other, bomb).ended;
  await eventually('the news of a kill in the other', () => toldOther === 1);
  watchOther.stop();
  assert.equal(told, 2);
});

test('no more processes than the limit can be forked', async () => {
  await using cgroup = temporaryCgroup({ pids: { limit: 5 } });
  const script = 'for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; wait';
  const { ended } = runInside(cgroup, script);
  // The shell gives up at the first fork that fails.
  await eventually('four processes', () => cgroup.processes().length >= 4);
  await sleep(1000);
  assert.ok(cgroup.processes().length <= 5);
  cgroup.kill();
  assert.match((await ended).output, /can't fork/);
  assert.equal(cgroup.stats().pids.limit, 5);
});

test('a busy process gets no more cpu time than its quota', async () => {
  await using cgroup = temporaryCgroup({ cpu: { quota: 10_000, period: 100_000 } });
  const begun = cgroup.stats().cpu.total;
  runInside(cgroup, 'while :; do :; done');
  await sleep(1000);
  const { total, throttling } = cgroup.stats().cpu;
  assert.ok(throttling.throttledPeriods >= 3, `throttled in ${throttling.throttledPeriods} periods`);
  assert.ok(throttling.throttledTime > 0);
  assert.ok(total - begun < 350_000_000, `${(total - begun) / 1e6} ms of cpu time in a second`);
});

test('a process runs on the cpus of its set only', async () => {
  await using cgroup = temporaryCgroup({ cpu: { cpus: '0' } });
  const { pid } = runInside(cgroup, 'sleep 100');
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Cpus_allowed_list:\t0$/m);
});

test('a process runs on all cpus where none are chosen, and its end plans those of the machine no more', async () => {
  await using cgroup = temporaryCgroup();
  const { pid } = runInside(cgroup, 'sleep 100');
  const allowed = (of: number | string) =>
    /^Cpus_allowed_list:.*$/m.exec(readFileSync(`/proc/${of}/status`, 'utf8'))?.[0];
  assert.equal(allowed(pid), allowed('self'));
  if (version === 1) assert.equal(fileOf(cgroup, 'cpuset.sched_load_balance'), '0');
});

/** The control group of a process in the hierarchy of cpusets. */
const cpusetOf = (pid: number): string =>
  /^\d+:cpuset:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))![1]!;

const allowedCpus = (pid: number): string =>
  /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;

const sharing = { sharesCpuset: true };

/** A directory in the hierarchy of cpusets. */
const cpuset = (cgroup: Cgroup): string => cgroup.directories.find(each => each.includes('/cpuset/'))!;

test1('cgroups for all cpus share one cpuset, in which no other cgroup can be seen', async () => {
  await using own = temporaryCgroup({ cpu: { cpus: '0' } }, sharing);
  await using half = temporaryCgroup({ cpu: { quota: 50_000, period: 100_000 } }, sharing);
  expect(cpusetOf(runInside(half, 'sleep 100').pid!)).toBe(half.path);
  const one = temporaryCgroup({}, sharing);
  await using other = temporaryCgroup({}, sharing);
  const pids = [own, one, other].map(cgroup => runInside(cgroup, 'sleep 100').pid);
  const shared = cpusetOf(pids[1]!);
  expect(pids.map(cpusetOf)).toEqual([own.path, shared, shared]);
  expect(dirname(shared)).toBe(dirname(own.path));
  expect(cpuset(one).endsWith(shared)).toBe(true);
  expect(readdirSync(cpuset(one), { withFileTypes: true }).filter(each => each.isDirectory())).toEqual([]);
  expect(pids.map(allowedCpus)).toEqual(['0', allowedCpus(process.pid), allowedCpus(process.pid)]);
  expect(one.processes()).toEqual([pids[1]]);

  one.kill();
  await one.delete();
  await one.delete();
  expect(openCgroup(one.path)).toBe(undefined);
  expect(cpusetOf(pids[2]!)).toBe(shared);
  other.kill();
  await other.delete();
  expect(existsSync(cpuset(own).replace(own.path, shared))).toBe(false);
  expect(isAlive(pids[0]!)).toBe(true);
});

test1(
  'cpus chosen later are those of all its processes, and of no other that shared the cpuset',
  async () => {
    await using cgroup = temporaryCgroup({}, sharing);
    await using other = temporaryCgroup({}, sharing);
    const { pid } = runInside(other, 'sleep 100');
    const shared = cpusetOf(pid);
    runInside(cgroup, 'for i in $(seq 10); do while :; do sleep 0.01; done & done; wait');
    await eventually('forks', () => cgroup.processes().length > 10);
    // As a later daemon finds it.
    const found = openCgroup(cgroup.path)!;
    expect(found.directories).toEqual(cgroup.directories);
    found.update({ cpu: { cpus: '0' } });
    await cgroup.freeze();
    const processes = cgroup.processes();
    expect(processes.length).toBeGreaterThan(10);
    expect(new Set(processes.map(cpusetOf))).toEqual(new Set([cgroup.path]));
    expect(new Set(processes.map(allowedCpus))).toEqual(new Set(['0']));
    expect(cpusetOf(pid)).toBe(shared);
    expect(allowedCpus(pid)).toBe(allowedCpus(process.pid));
    found.kill();
    await found.delete();
    expect(openCgroup(cgroup.path)).toBe(undefined);
  },
);

test1('cpus that are refused later leave the shared cpuset as it was', async () => {
  await using cgroup = temporaryCgroup({}, sharing);
  const { pid } = runInside(cgroup, 'sleep 100');
  const shared = cpusetOf(pid);
  expect(() => cgroup.update({ cpu: { cpus: '4095' } })).toThrow(/^cannot set the set of cpus to 4095: /);
  expect(cpusetOf(pid)).toBe(shared);
  expect(existsSync(join(cpuset(cgroup), '..', basename(cgroup.path)))).toBe(false);
  cgroup.update({ cpu: { cpus: '0' } });
  expect([cpusetOf(pid), allowedCpus(pid)]).toEqual([cgroup.path, '0']);
  expect(cpuset(cgroup).endsWith(cgroup.path)).toBe(true);
});

test1('a shared cpuset that another daemon is about to use is not removed', async () => {
  const cgroup = temporaryCgroup({}, sharing);
  const directory = cpuset(cgroup);
  const user = spawn('flock', ['--shared', directory, 'sh', '-c', 'echo held; read _']);
  await once(user.stdout, 'data');
  await cgroup.delete();
  expect(existsSync(directory)).toBe(true);
  user.stdin.end();
  await once(user, 'exit');
  // The next one removes it.
  await temporaryCgroup({}, sharing).delete();
  expect(existsSync(directory)).toBe(false);
  expect(existsSync(dirname(directory))).toBe(false);
});

test('a device that no rule allows cannot be opened, and an allowed one can', async () => {
  await using cgroup = temporaryCgroup({ devices: usualDevices });
  assert.equal((await runInside(cgroup, 'head -c 1 /dev/zero; echo x >/dev/null').ended).code, 0);
  const random = await runInside(cgroup, 'head -c 1 /dev/urandom').ended;
  assert.match(random.output, /Operation not permitted/);
  // /dev/zero may be read and not written.
  const zero = await runInside(cgroup, 'echo x >/dev/zero').ended;
  assert.match(zero.output, /Operation not permitted/);
});

test('a device node that may be made still cannot be opened', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-test-'));
  try {
    await using cgroup = temporaryCgroup({ devices: usualDevices });
    const node = join(directory, 'kmsg');
    const { output } = await runInside(cgroup, `mknod ${node} c 1 11 && head -c 1 ${node}`).ended;
    assert.match(output, /head: .*Operation not permitted/);
    await using strict = temporaryCgroup({ devices: [{ allow: false }] });
    const made = await runInside(strict, `mknod ${node}2 c 1 11`).ended;
    assert.match(made.output, /mknod: .*Operation not permitted/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('new device rules take the place of the old ones', async () => {
  await using cgroup = temporaryCgroup({ devices: usualDevices });
  cgroup.update({ devices: [{ allow: true }, { allow: false, type: 'c', major: 1, minor: 3 }] });
  assert.equal((await runInside(cgroup, 'head -c 1 /dev/urandom').ended).code, 0);
  const { output } = await runInside(cgroup, 'echo x >/dev/null').ended;
  assert.match(output, /Operation not permitted/);
});

test('a frozen process makes no step, and goes on when it is thawed', async () => {
  await using cgroup = temporaryCgroup();
  const { pid } = runInside(cgroup, 'while :; do :; done');
  await eventually('cpu time', () => cpuTicks(pid) > 3);
  await cgroup.freeze();
  const frozen = cpuTicks(pid);
  await sleep(200);
  // The tick in which it was stopped may count late; running, it would have had twenty.
  const more = cpuTicks(pid) - frozen;
  assert.ok(more <= 1, `${more} ticks while it was frozen`);
  await cgroup.thaw();
  await eventually('more cpu time', () => cpuTicks(pid) > frozen);
});

test('kill ends frozen processes too, within a second', async () => {
  await using cgroup = temporaryCgroup();
  const { pid, ended } = runInside(cgroup, 'sleep 100 & wait');
  await eventually('two processes', () => cgroup.processes().length === 2);
  await cgroup.freeze();
  cgroup.kill();
  const { signal } = await within(1000, ended);
  assert.equal(signal, 'SIGKILL');
  await eventually('an empty cgroup', () => cgroup.processes().length === 0);
  assert.ok(!isAlive(pid));
});

test('kill ends processes that go on forking', async () => {
  await using cgroup = temporaryCgroup({ pids: { limit: 200 } });
  const script = 'for i in $(seq 20); do while :; do true | true; done & done; wait';
  runInside(cgroup, script);
  await eventually('many processes', () => cgroup.processes().length > 20);
  cgroup.kill();
  await eventually('an empty cgroup', () => cgroup.processes().length === 0);
});

test('delete leaves nothing, also of groups that were made inside, and can be called again', async () => {
  const cgroup = temporaryCgroup();
  for (const directory of cgroup.directories)
    mkdirSync(join(directory, 'inner/innermost'), { recursive: true });
  await cgroup.delete();
  await cgroup.delete();
  for (const directory of cgroup.directories) {
    assert.ok(!existsSync(directory), directory);
    assert.ok(!existsSync(join(directory, '..')), 'the group above was made for it alone');
  }
  assert.equal(openCgroup(cgroup.path), undefined);
});

test('delete waits for processes that are dying', async () => {
  const cgroup = temporaryCgroup();
  for (let i = 0; i < 5; i++) runInside(cgroup, 'sleep 100');
  cgroup.kill();
  await cgroup.delete();
  assert.equal(openCgroup(cgroup.path), undefined);
});

test('a cgroup is found again by its path, with its limits and its processes', async () => {
  await using cgroup = temporaryCgroup({ pids: { limit: 77 } });
  const { pid } = runInside(cgroup, 'sleep 100');
  const found = openCgroup(cgroup.path);
  assert.deepEqual(found?.processes(), cgroup.processes());
  assert.ok(found?.processes().includes(pid));
  assert.equal(found?.stats().pids.limit, 77);
});

test('a limit that the kernel refuses is one clear error, and nothing is left', async () => {
  const path = `/mini-docker-promise-${process.pid}/refused`;
  const create = () => createCgroup({ path, resources: { cpu: { cpus: '4095' } } });
  assert.throws(create, { name: 'CgroupError', message: /^cannot set the set of cpus to 4095: .+$/ });
  assert.equal(openCgroup(path), undefined);
  assert.equal(openCgroup(`/mini-docker-promise-${process.pid}`), undefined);
});

test('a cgroup with a process in it is not taken over', async () => {
  await using cgroup = temporaryCgroup({ pids: { limit: 9 } });
  const { pid } = runInside(cgroup, 'sleep 100');
  const create = () => createCgroup({ path: cgroup.path, resources: {} });
  assert.throws(create, { name: 'CgroupError', message: /it exists and has processes in it/ });
  assert.ok(isAlive(pid));
  assert.equal(cgroup.stats().pids.limit, 9);
});

test('memory limits can be raised and lowered, with swap and without', async () => {
  await using cgroup = temporaryCgroup({ memory: { limit: 64 * MiB, swap: 128 * MiB } });
  const limits = () => [
    fileOf(cgroup, 'memory.limit_in_bytes'),
    fileOf(cgroup, 'memory.memsw.limit_in_bytes'),
  ];
  const limits2 = () => [fileOf(cgroup, 'memory.max'), fileOf(cgroup, 'memory.swap.max')];
  cgroup.update({ memory: { limit: 256 * MiB, swap: 512 * MiB } });
  if (version === 1) assert.deepEqual(limits(), [String(256 * MiB), String(512 * MiB)]);
  else assert.deepEqual(limits2(), [String(256 * MiB), String(256 * MiB)]);
  cgroup.update({ memory: { limit: 32 * MiB, swap: 48 * MiB } });
  if (version === 1) assert.deepEqual(limits(), [String(32 * MiB), String(48 * MiB)]);
  else assert.deepEqual(limits2(), [String(32 * MiB), String(16 * MiB)]);
  cgroup.update({ memory: { limit: -1 } });
  if (version === 2) assert.deepEqual(limits2(), ['max', 'max']);
  else assert.ok(limits().every(limit => Number(limit) > 2 ** 60));
});

test('cpu limits can be changed, the period with the quota', async () => {
  await using cgroup = temporaryCgroup({ cpu: { shares: 512, quota: 50_000, period: 100_000 } });
  cgroup.update({ cpu: { quota: 900_000, period: 1_000_000 } });
  cgroup.update({ cpu: { quota: 5000, period: 10_000 } });
  cgroup.update({ cpu: { shares: 1024, quota: 20_000 } });
  if (version === 1) {
    assert.equal(fileOf(cgroup, 'cpu.shares'), '1024');
    assert.equal(fileOf(cgroup, 'cpu.cfs_quota_us'), '20000');
    assert.equal(fileOf(cgroup, 'cpu.cfs_period_us'), '10000');
  } else {
    assert.equal(fileOf(cgroup, 'cpu.weight'), '100');
    assert.equal(fileOf(cgroup, 'cpu.max'), '20000 10000');
  }
});

test('block IO is throttled per device, as the files say', async () => {
  const { major, minor } = blockDevice();
  await using cgroup = temporaryCgroup({
    blockIO: {
      throttleReadBpsDevice: [{ major, minor, rate: MiB }],
      throttleWriteIOPSDevice: [{ major, minor, rate: 50 }],
    },
  });
  if (version === 1) {
    assert.equal(fileOf(cgroup, 'blkio.throttle.read_bps_device'), `${major}:${minor} ${MiB}`);
    assert.equal(fileOf(cgroup, 'blkio.throttle.write_iops_device'), `${major}:${minor} 50`);
  } else {
    const limits = `${major}:${minor} rbps=${MiB} wbps=max riops=max wiops=50`;
    assert.equal(fileOf(cgroup, 'io.max'), limits);
  }
});

test2('reading from a disk is as slow as its limit says', async () => {
  const { name, major, minor } = blockDevice();
  const throttleReadBpsDevice = [{ major, minor, rate: MiB }];
  await using cgroup = temporaryCgroup({ blockIO: { throttleReadBpsDevice } });
  const begun = Date.now();
  const script = `exec dd if=/dev/${name} of=/dev/null bs=256k count=4 iflag=direct`;
  const { code, output } = await runInside(cgroup, script).ended;
  assert.equal(code, 0, output);
  assert.ok(Date.now() - begun > 500, `it took ${Date.now() - begun} ms`);
  const read = cgroup.stats().blkio.serviceBytes.find(({ op }) => op === 'Read');
  assert.deepEqual(read, { major, minor, op: 'Read', value: MiB });
});

test2(
  'the weight of block IO is set where a scheduler has one, else the error says which would',
  async () => {
    await using cgroup = temporaryCgroup();
    const setWeight = () => cgroup.update({ blockIO: { weight: 300 } });
    if (fileOf(cgroup, 'io.bfq.weight') !== undefined) {
      setWeight();
      assert.match(fileOf(cgroup, 'io.bfq.weight')!, /^(default )?300$/);
    } else if (fileOf(cgroup, 'io.weight') !== undefined) {
      setWeight();
      assert.match(fileOf(cgroup, 'io.weight')!, /^default 2930$/);
    } else {
      assert.throws(setWeight, /load BFQ with modprobe bfq/);
    }
  },
);

test('memory and cpu time of running programs are in the statistics', async () => {
  await using cgroup = temporaryCgroup({ memory: { limit: 128 * MiB } });
  // A shell variable of 8 MiB.
  runInside(cgroup, 'v=$(head -c 8388608 /dev/zero | tr "\\\\0" x); sleep 100; :');
  // The shell of an emulated machine takes its time for it.
  await eventually('8 MiB', () => cgroup.stats().memory.usage > 8 * MiB, 50_000);
  const stats = cgroup.stats();
  assert.equal(stats.memory.limit, 128 * MiB);
  assert.ok(stats.cpu.total > 0);
  assert.ok(stats.pids.current >= 1);
  assert.ok(Object.keys(stats.memory.stats).length > 10);
});

test2('keys of cgroup v2 are written as they are', async () => {
  await using cgroup = temporaryCgroup({ unified: { 'memory.high': '33554432' } });
  assert.equal(fileOf(cgroup, 'memory.high'), '33554432');
  assert.throws(
    () => cgroup.update({ unified: { '../cgroup.procs': '1' } }),
    /is not the name of a cgroup file/,
  );
  assert.throws(() => cgroup.update({ unified: { 'nonsense.max': '1' } }), /no nonsense controller/);
});

test2('a group above with processes in it is an error that names them', async () => {
  await using above = temporaryCgroup();
  const { pid } = runInside(above, 'sleep 100');
  const path = `${above.path}/below`;
  const create = () => createCgroup({ path, resources: {} });
  const message = new RegExp(`processes sit in it \\(${pid}\\).*choose another --cgroup-parent`);
  assert.throws(create, { name: 'CgroupError', message });
  assert.equal(openCgroup(path), undefined);
});

test2(
  'in a cgroup namespace whose root has processes in it, they move to a leaf and limits work',
  async () => {
    await using outer = temporaryCgroup({ pids: { limit: 50 } });
    const script = import.meta.url.replace(/^file:\/\/(.*)\/[^/]+\.(ts|js)$/, '$1/nested.$2');
    const shell = `/usr/bin/unshare -C -m sh -c 'umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec ${process.execPath} ${script}'`;
    const { code, output } = await runInside(outer, shell).ended;
    assert.equal(code, 0, output);
    assert.match(output, /pids.max is 7, and the root's processes are in \/init/);
  },
);

/** The groups of a process, of those hierarchies in which it is not in the root. */
function pathsOf(pid: number): Set<string> {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trimEnd().split('\n');
  const ours = version === 2 ? lines : lines.filter(line => !/^\d+:(name=[^:]*)?:/.test(line));
  return new Set(ours.map(line => line.split(':').slice(2).join(':')));
}

/** utime and stime of proc_pid_stat(5), fields 14 and 15. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const late = sleep(milliseconds, undefined, { ref: false }).then(() => {
    throw new Error(`not within ${milliseconds} ms`);
  });
  return Promise.race([promise, late]);
}

/** Some disk of this machine. */
function blockDevice(): { name: string; major: number; minor: number } {
  const [name] = readdirSync('/sys/block').filter(disk => /^(vd|sd|nvme|xvd)/.test(disk));
  if (name === undefined) throw new Error('this machine has no block device to limit');
  const [major, minor] = readFileSync(`/sys/block/${name}/dev`, 'utf8').split(':').map(Number);
  return { name, major: major!, minor: minor! };
}
