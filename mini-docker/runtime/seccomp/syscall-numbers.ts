// System calls by name, for each ABI that the kernels of both architectures support.
import { SYSCALL_TABLES } from './syscall-tables.ts';

export type Abi = keyof typeof SYSCALL_TABLES;

const decoded = new Map<Abi, ReadonlyMap<string, number>>();

export function syscallNumbers(abi: Abi): ReadonlyMap<string, number> {
  const known = decoded.get(abi);
  if (known !== undefined) return known;
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of SYSCALL_TABLES[abi].split(/\s/)) {
    if (/^\d/.test(word)) next = Number(word);
    else numbers.set(word, next++);
  }
  // <asm/unistd.h> of arm: two names for the same call.
  if (abi === 'arm') numbers.set('sync_file_range2', numbers.get('arm_sync_file_range')!);
  decoded.set(abi, numbers);
  return numbers;
}

/**
 * 32-bit x86 has calls that combine several, selected by the first argument: socketcall(2), ipc(2).
 * <linux/net.h>, <linux/ipc.h>
 */
const MULTIPLEXED: Record<string, string> = {
  socketcall:
    '1 socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg',
  ipc: '1 semop semget semctl semtimedop 11 msgsnd msgrcv msgget msgctl 21 shmat shmdt shmget shmctl',
};

/** By name: the combined call that also reaches it, and its first argument. */
export const MULTIPLEXERS: ReadonlyMap<string, { call: string; selector: number }> = new Map(
  Object.entries(MULTIPLEXED).flatMap(([call, names]) => {
    let next = 0;
    return names.split(' ').flatMap((word): [string, { call: string; selector: number }][] => {
      if (/^\d/.test(word)) {
        next = Number(word);
        return [];
      }
      return [[word, { call, selector: next++ }]];
    });
  }),
);
