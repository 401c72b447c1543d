import { shell, statusField, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

/** The capabilities that Docker leaves: capability(7) by number. */
const USUAL = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31].reduce(
  (set, each) => set | (1n << BigInt(each)),
  0n,
);

export const stage: Checks = {
  async check(lab) {
    const { pid, client } = await waiting(lab);
    for (const field of ['CapEff', 'CapBnd']) {
      const held = BigInt(`0x${statusField(pid, field)}`);
      lab.promise(field, held !== 0n && (held & ~USUAL) === 0n, {
        promised: `root in the container keeps at most the fourteen capabilities that Docker leaves: ${field}`,
        seen: `${field} is ${held.toString(16).padStart(16, '0')}, beyond are ${(held & ~USUAL).toString(16)}`,
        look: 'PR_CAPBSET_DROP for the bounding set, capset(2) for the others',
      });
    }
    lab.promise('seccomp', statusField(pid, 'Seccomp') === '2', {
      promised: 'a filter of system calls is in force: Seccomp in /proc/PID/status is 2',
      seen: `it is ${statusField(pid, 'Seccomp')}`,
      look: 'seccomp(2), or prctl with PR_SET_SECCOMP: a BPF program',
    });
    client.kill();
    const tries: [string, string, string][] = [
      ['mount', 'mount -t tmpfs x /tmp', 'CAP_SYS_ADMIN'],
      ['disk', 'mknod /tmp/disk b 7 0 && head -c 1 /tmp/disk', 'the controller devices, or CAP_MKNOD'],
      ['settings', 'cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness', '/proc/sys mounted read-only'],
      ['kernel-memory', 'head -c 1 /proc/kcore | grep .', '/dev/null mounted over /proc/kcore'],
      ['sysrq', 'echo h > /proc/sysrq-trigger', '/proc/sysrq-trigger mounted read-only'],
      ['namespaces', 'unshare -r true', 'the filter: no CLONE_NEWUSER without CAP_SYS_ADMIN'],
    ];
    for (const [check, script, look] of tries) {
      const tried = await shell(lab, script);
      lab.promise(check, tried.code !== 0 && tried.code !== 127, {
        promised: `this is refused: ${script}`,
        seen: ending(tried),
        look,
      });
    }
    const works = await shell(
      lab,
      'touch /tmp/f && chown 405:100 /tmp/f && chmod 700 /tmp/f && su guest -s /bin/id',
    );
    lab.promise('still-root', works.stdout.includes('uid=405'), {
      promised: 'chown and su still work: CAP_CHOWN, CAP_SETUID and the other usual ones stay',
      seen: `${ending(works)}; ${works.stderr.trim()}`,
      look: 'which capabilities does Docker leave, and why?',
    });
    const dropped = await waiting(lab, ['--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN']);
    lab.promise('chosen', BigInt(`0x${statusField(dropped.pid, 'CapEff')}`) === 1n << 12n, {
      promised: '--cap-drop ALL --cap-add NET_ADMIN leaves one capability',
      seen: `CapEff is ${statusField(dropped.pid, 'CapEff')}`,
      look: 'drop first, then add',
    });
  },
};
