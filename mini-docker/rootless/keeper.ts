// The processes that keep an ordinary user's namespaces while no daemon runs: one in the new user, mount and
// network namespaces, which only sleeps; and one that is in the same user and mount namespaces, but in the
// host's network, where it opens sockets for the daemon (outside-sockets.ts). Both are one program.
import { CLONE, MS, SIG } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, type Step } from '../linux/step.ts';
import { cloneCall, close, mountCall, ppoll, read, setns, setsid, write } from '../linux/syscalls.ts';
import { FD } from '../runtime/descriptors.ts';
import { loopbackUp } from '../runtime/namespaces.ts';
import { CHANNEL, serveSockets } from './outside-sockets.ts';

const MASK_SIZE = 8;
const WAITING = new Uint8Array([1]);

export interface KeeperProgram {
  items: Item[];
  /** Memory where the kernel stores the pid of the process in the host's network: an int. */
  outside: Uint8Array;
  /** The same for the process in the new network namespace. */
  holder: Uint8Array;
}

/** Number of a pidfd of a process in namespaces that exist. */
export const MEMBER = 13;

/**
 * @param options.resolvConf a file that is mounted on /etc/resolv.conf
 * @param options.joins whether it joins the namespaces of MEMBER: its own were killed, and containers live in them
 */
export function keeperProgram({ resolvConf, joins }: { resolvConf: string; joins: boolean }): KeeperProgram {
  const [outside, holder] = [new Uint8Array(4), new Uint8Array(4)];
  const cloned = (flags: number, pid: Uint8Array) =>
    cloneCall(flags | CLONE.PARENT_SETTID | SIG.CHLD, 0, pid, 0, 0);
  const items: Item[] = [
    mayFail(setsid()),
    ...(joins
      ? [fork(cloned(0, outside), 'away'), setns(MEMBER, CLONE.NEWUSER | CLONE.NEWNS)]
      : [
          fork(
            because('namespaces in which this user is root', cloned(CLONE.NEWUSER | CLONE.NEWNS, outside)),
            'away',
          ),
          write(FD.ready, WAITING),
          because('the ids are mapped from outside', { ...read(FD.go, new Uint8Array(1)), expect: 1 }),
          because(
            'mounts of the host appear here, and nothing we mount appears there',
            mountCall(null, '/', null, MS.REC | MS.SLAVE, null),
          ),
          because(
            'the name servers that the network namespace reaches',
            mayFail(mountCall(resolvConf, '/etc/resolv.conf', null, MS.BIND, null), 'ENOENT'),
          ),
        ]),
    ...(joins
      ? [fork(cloned(0, holder), 'serve'), setns(MEMBER, CLONE.NEWNET)]
      : [fork(because('a network of its own', cloned(CLONE.NEWNET, holder)), 'serve'), ...loopbackUp()]),
    write(FD.ready, WAITING),
    ...(joins ? [close(MEMBER)] : []),
    ...[FD.ready, FD.go, ...Object.values(CHANNEL)].map(fd => close(fd)),
    { control: 'label', name: 'stay' },
    mayFail(ppoll(null, 0, null, null, MASK_SIZE)),
    { control: 'jump', to: 'stay' },
    { control: 'label', name: 'serve' },
    close(FD.ready),
    close(FD.go),
    ...(joins ? [close(MEMBER)] : []),
    ...serveSockets(),
    { control: 'label', name: 'away' },
    { control: 'exit', status: 0 },
  ];
  return { items, outside, holder };
}

const fork = (step: Step, parent: string): Item => ({ control: 'fork', step, parent });
