import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Seccomp, Spec } from '../../mini-docker/formats/oci/runtime-spec.ts';
import { CAP } from '../../mini-docker/linux/constants.ts';
import { readStatus } from '../../mini-docker/linux/proc/status.ts';
import { syscall } from '../../mini-docker/linux/step.ts';
import { getpid, getppid, keyctlName, setns, socket, unshare } from '../../mini-docker/linux/syscalls.ts';
import { TestContainers, textOf } from '../../mini-docker/runtime/testing/container.ts';
import { answersFrom, attack, confine, placeAttacker, setCapabilities } from './attacker.ts';

const containers = new TestContainers();
afterEach(() => containers.deleteAll());
afterAll(() => containers[Symbol.dispose]());

const CLONE_NEWUSER = 0x1000_0000;
const SYS_ADMIN = 1n << BigInt(CAP.SYS_ADMIN);
const [AF_INET, AF_ALG, AF_VSOCK, SOCK_STREAM] = [2, 38, 40, 1];
const ioUringSetup = syscall('io_uring_setup', { x64: 425, arm64: 425 }, ['int', 'int']);
const userfaultfd = syscall('userfaultfd', { x64: 323, arm64: 282 }, ['int']);
const clone3 = syscall('clone3', { x64: 435, arm64: 435 }, ['int', 'int']);
const newest = syscall('not yet there', { x64: 900, arm64: 900 }, []);
const lookAtIt = syscall('listns', { x64: 470, arm64: 470 }, ['int']);

describe('the default filter', () => {
  test('refuses forbidden system calls, and allows the others', async () => {
    const answers = await attack(containers, [
      getpid(),
      socket(AF_INET, SOCK_STREAM, 0),
      unshare(CLONE_NEWUSER),
      setns(1, 0),
      keyctlName(1, null),
      ioUringSetup(1, 0),
      userfaultfd(0),
      socket(AF_ALG, 5, 0),
      socket(AF_VSOCK, SOCK_STREAM, 0),
      socket(2 ** 32 + AF_VSOCK, SOCK_STREAM, 0),
    ]);
    expect(answers).toEqual([1, expect.any(Number), ...Array.from({ length: 8 }, () => 'EPERM')]);
  });

  test('says of calls that are newer than it that there are none, and of clone3 too', async () => {
    expect(await attack(containers, [clone3(0, 0), lookAtIt(0), newest()])).toEqual([
      'ENOSYS',
      'ENOSYS',
      'ENOSYS',
    ]);
  });

  test('allows system calls for which a capability was granted', async () => {
    const change = (spec: Spec) => setCapabilities(spec, ['CAP_SYS_ADMIN']);
    expect(await attack(containers, [unshare(CLONE_NEWUSER)], change)).toEqual([0]);
  });

  test('is in force for the program, for execs, and under an init, for root and for other users', async () => {
    for (const init of [false, true]) {
      for (const uid of [0, 1000]) {
        const container = await containers.start(
          ['sleep', '100'],
          spec => {
            spec.process.user = { uid, gid: uid };
            confine(spec);
          },
          { init },
        );
        const process = { ...containers.spec(['sleep', '100']).process, user: { uid, gid: uid } };
        const execution = await container.exec({ process, stdin: false });
        for (const pid of [container.pid, execution.pid]) {
          const status = readStatus(pid)!;
          expect(status.seccomp, `${uid} ${init}`).toBe('filter');
          expect(status.uid.real).toBe(uid);
        }
        await container.delete();
      }
    }
  });

  test('leaves no capability behind that was needed to load it', async () => {
    for (const uid of [0, 1000]) {
      const container = await containers.start(['sleep', '100'], spec => {
        spec.process.user = { uid, gid: uid };
        confine(spec);
      });
      const { process } = containers.spec(['sleep', '100'], spec => {
        spec.process.user = { uid, gid: uid };
        confine(spec);
      });
      const execution = await container.exec({ process, stdin: false });
      for (const pid of [container.pid, execution.pid]) {
        const { capabilities } = readStatus(pid)!;
        for (const set of Object.values(capabilities)) expect(set & SYS_ADMIN).toBe(0n);
        expect(capabilities.effective !== 0n, `uid ${uid}`).toBe(uid === 0);
        expect(capabilities.permitted).toEqual(capabilities.effective);
      }
      await container.delete();
    }
  });

  test('is there with no-new-privileges, too, and for a program that has been executed', async () => {
    const container = await containers.start(['sleep', '100'], spec => {
      confine(spec);
      spec.process.noNewPrivileges = true;
    });
    expect(readStatus(container.pid)).toMatchObject({ seccomp: 'filter', noNewPrivs: true });
    const attacker = placeAttacker(containers, [unshare(CLONE_NEWUSER)]);
    const { process } = containers.spec([attacker], confine);
    const execution = await container.exec({ process, stdin: false });
    expect(await answersFrom(execution.stdout!)).toEqual(['EPERM']);
    await container.delete();
  });
});

describe("a profile of one's own", () => {
  const only = (names: string[], more: Partial<Seccomp> = {}): Seccomp => ({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }],
    ...more,
  });

  test('need allow nothing that only a start does', async () => {
    for (const noNewPrivileges of [false, true]) {
      const answers = await attack(containers, [getpid(), getppid()], spec => {
        spec.linux.seccomp = only(['execve', 'write', 'exit_group'], { defaultErrnoRet: 13 });
        spec.process.noNewPrivileges = noNewPrivileges;
        spec.process.user = { uid: 1000, gid: 1000 };
      });
      expect(answers).toEqual(['EACCES', 'EACCES']);
    }
  });

  test('that does not allow execve is told of as that', async () => {
    const starting = containers.start(['true'], spec => {
      spec.linux.seccomp = only(['exit_group']);
    });
    await expect(starting).rejects.toMatchObject({ name: 'SyscallError', syscall: 'execve', code: 'EPERM' });
  });

  test('may end the program', async () => {
    const { exit } = await containers.run(['mkdir', '/x'], spec => {
      spec.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL_PROCESS' }],
      };
    });
    expect(exit.signal).toBe(31);
  });

  test('may look at arguments', async () => {
    const lines = await containers.run(
      ['sh', '-c', 'umask 22; umask 77 && echo open; kill -0 1 && echo there; kill -9 99'],
      spec => {
        spec.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [
            {
              names: ['kill'],
              action: 'SCMP_ACT_ERRNO',
              errnoRet: 38,
              args: [{ index: 1, op: 'SCMP_CMP_EQ', value: 9 }],
            },
          ],
        };
      },
    );
    expect(lines.stdout).toBe('open\nthere\n');
    expect(lines.stderr).toMatch(/Function not implemented/);
  });
});

test('without a filter there is none', async () => {
  const container = await containers.start(['sh', '-c', 'grep Seccomp: /proc/self/status']);
  expect(await textOf(container.stdout)).toBe('Seccomp:\t0\n');
  await container.delete();
});
