import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hintBelow, hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { P, RLIMIT, SIG, W } from '../constants.ts';
import { ERRNO } from '../errno.ts';
import { hintFor } from '../hints.ts';
import { kill, pidfdOpen, pidfdSendSignal, prlimit, unshare, wait4, waitid } from '../syscalls.ts';

const limits = (soft: number, hard: number) =>
  Buffer.from(BigUint64Array.of(BigInt(soft), BigInt(hard)).buffer);

test('limits that contradict each other, or that no process may have', () => {
  expect(hintOf(() => call(prlimit(0, RLIMIT.NOFILE, limits(10, 5), null)))).toBe(
    'EINVAL: the soft limit, 10, is above the hard one, 5',
  );
  expect(hintOf(() => call(prlimit(0, RLIMIT.NOFILE, limits(5, 2 ** 40), null)))).toMatch(
    /EPERM: RLIMIT_NOFILE can be at most \d+ \(\/proc\/sys\/fs\/nr_open\), not 1099511627776/,
  );
});

test('raising a hard limit takes CAP_SYS_RESOURCE', () => {
  const code = `call(prlimit(0, RLIMIT.CORE, Buffer.from(BigUint64Array.of(0n, 7n).buffer), null))`;
  expect(hintBelow(['setpriv', '--bounding-set', '-sys_resource', 'prlimit', '--core=0:0'], code)).toBe(
    'EPERM: without CAP_SYS_RESOURCE a hard limit can only be lowered, and RLIMIT_CORE is at 0 for 7 asked',
  );
});

test('a thread is no process', () => {
  const thread = readdirSync('/proc/self/task')
    .map(Number)
    .find(tid => tid !== process.pid)!;
  expect(hintOf(() => call(pidfdOpen(thread, 0)))).toMatch(
    new RegExp(`(EINVAL|ENOENT): ${thread} is a thread, of process ${process.pid}`),
  );
});

test('a process that has ended can be neither signalled nor waited for twice', async () => {
  const child = spawn('true');
  const pidfd = call(pidfdOpen(child.pid!, 0));
  await once(child, 'exit');
  expect(hintOf(() => call(pidfdSendSignal(pidfd, SIG.TERM, null, 0)))).toBe('ESRCH: the process has ended');
  expect(hintOf(() => call(kill(child.pid!, SIG.TERM)))).toBe('ESRCH: the process has ended');
  const wait = () => call(waitid(P.PIDFD, pidfd, Buffer.alloc(128), W.EXITED, null));
  expect(hintOf(wait)).toMatch(/ECHILD: it is no child of this process, or its exit has been waited for/);
  expect(hintOf(() => call(wait4(1, Buffer.alloc(4), 0, null)))).toMatch(/ECHILD/);
  closeSync(pidfd);
});

test("only a tracer may take another process's descriptors", () => {
  const code = `call(pidfdGetfd(call(pidfdOpen(${process.pid}, 0)), 1, 0))`;
  expect(hintBelow(['setpriv', '--reuid', '65534', '--clear-groups'], code)).toMatch(
    /EPERM: taking another process's descriptor wants the right to trace it/,
  );
});

test('the leader of a session cannot begin another', () => {
  expect(hintBelow(['setsid', '-w'], 'call(setsid())')).toMatch(
    /EPERM: this process leads a process group already/,
  );
});

test('as many processes as the cgroup allows', () => {
  const name = `mini-docker-hints-${process.pid}`;
  const group = `/sys/fs/cgroup/pids/${name}`;
  mkdirSync(group);
  try {
    const inside = ['sh', '-c', `echo $$ >${group}/cgroup.procs && exec "$@"`, 'sh'];
    const code = `
      fs.writeFileSync('${group}/pids.max', fs.readFileSync('${group}/pids.current', 'utf8'));
      call(cloneCall(SIG.CHLD, 0, null, 0, 0));`;
    expect(hintBelow(inside, code)).toMatch(
      new RegExp(
        `EAGAIN: there are as many processes as are allowed: by the cgroup's pids.max \\(of /${name}\\)`,
      ),
    );
  } finally {
    rmdirSync(group);
  }
});

test('bpf takes rights that root of a container has not', () => {
  const load = 'call(bpf(5, Buffer.alloc(72)))';
  for (const wrapper of [
    ['unshare', '-Ur'],
    ['setpriv', '--bounding-set', '-bpf,-sys_admin'],
  ]) {
    expect(hintBelow(wrapper, load)).toMatch(/EPERM: it takes CAP_BPF, and for cgroups CAP_NET_ADMIN/);
  }
});

/** Installs a filter that answers `errno` to unshare(2), and allows all else. <linux/filter.h>, seccomp(2) */
function filtered(errno: number, rest: string): string {
  return `
    const number = unshare.syscall.numbers[process.arch];
    const filter = Buffer.alloc(32);
    const instruction = (at, code, jt, jf, k) => {
      filter.writeUInt16LE(code, at * 8); filter[at * 8 + 2] = jt; filter[at * 8 + 3] = jf; filter.writeUInt32LE(k, at * 8 + 4);
    };
    instruction(0, 0x20, 0, 0, 0);                       // load the number of the call
    instruction(1, 0x15, 0, 1, number);                  // is it unshare?
    instruction(2, 0x06, 0, 0, 0x00050000 | ${errno});   // SECCOMP_RET_ERRNO
    instruction(3, 0x06, 0, 0, 0x7fff0000);              // SECCOMP_RET_ALLOW
    const program = Buffer.alloc(16);
    program.writeUInt16LE(4, 0);
    program.writeBigUInt64LE(BigInt(addressOf(filter)), 8);
    call(seccomp(1, 0, program));
    ${rest}`;
}

test('a filter wants no_new_privs, and is then what forbids things to root', () => {
  expect(hintBelow(['setpriv', '--bounding-set', '-sys_admin'], filtered(1, ''))).toMatch(
    /EACCES: a seccomp filter takes CAP_SYS_ADMIN, or .*PR_SET_NO_NEW_PRIVS/,
  );
  expect(hintBelow([], filtered(ERRNO.EPERM!, 'call(unshare(CLONE.NEWUTS))'))).toMatch(
    /EPERM: root may do this, but a seccomp filter is in force that may forbid unshare, as in a container/,
  );
  expect(hintBelow([], filtered(ERRNO.ENOSYS!, 'call(unshare(CLONE.NEWUTS))'))).toMatch(
    /ENOSYS: this kernel is too old to have unshare\(2\), or a seccomp filter hides it/,
  );
});

test('a call that this kernel does not have', () => {
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  expect(hintFor(unshare(0), ERRNO.ENOSYS!)).toBe(`this kernel, ${release}, does not have unshare(2)`);
});
