// An ordinary user with subordinate ids, who exists in one private mount namespace only.
import { existsSync, readFileSync } from 'node:fs';

/** An id that no user of a usual machine has, and the first of the ids that are reserved for the user. */
export const USER = { name: 'student', id: 4242, subordinate: 1_000_000 } as const;

const sysctl = (name: string): string | undefined => {
  const file = `/proc/sys/${name}`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
};

/** As `learn doctor` finds it: some distributions forbid it. */
export const usersMayMakeNamespaces =
  sysctl('user/max_user_namespaces') !== '0' &&
  sysctl('kernel/unprivileged_userns_clone') !== '0' &&
  sysctl('kernel/apparmor_restrict_unprivileged_userns') !== '1';

/** Where the user, who may not be able to enter the project's directory, finds it. */
const PROJECT = '/mnt';
const FILES = '/mnt';

/** An address of the machine's, which containers reach like any address outside: through pasta or slirp4netns. */
export const OUTSIDE = '203.0.113.1';

export interface Machine {
  /** Whether the user has ids in /etc/subuid and /etc/subgid; true by default. */
  subordinateIds?: boolean;
  /** Whether its name server is to be at OUTSIDE, and `lan` a search domain. Needs /etc/resolv.conf. */
  nameServer?: boolean;
}

/**
 * A shell script that makes the user and a link to an outside, for a process in a mount and network namespace
 * of its own.
 * @param project the project's directory
 */
export function userMachine(project: string, { subordinateIds = true, nameServer = false }: Machine): string {
  const { name, id, subordinate } = USER;
  const add = (file: string, line: string) =>
    `cp /etc/${file} ${FILES}/${file} && echo '${line}' >> ${FILES}/${file} && mount --bind ${FILES}/${file} /etc/${file}`;
  const outside = [
    'ip link set outside up && ip address add 198.51.100.2/24 dev eth0',
    'ip link set eth0 up && ip route add default via 198.51.100.1',
  ].join(' && ');
  return [
    `mount -t tmpfs -o mode=755 tmpfs ${FILES}`,
    add('passwd', `${name}:x:${id}:${id}::/:/bin/sh`),
    add('group', `${name}:x:${id}:`),
    ...['subuid', 'subgid'].map(file => add(file, subordinateIds ? `${name}:${subordinate}:65536` : '')),
    ...(nameServer
      ? [
          `printf 'search lan\\nnameserver ${OUTSIDE}\\n' > ${FILES}/resolv.conf && mount --bind ${FILES}/resolv.conf /etc/resolv.conf`,
        ]
      : []),
    // Here only root may open it; on a user's machine every user may.
    `if [ -e /dev/net/tun ]; then mknod -m 666 ${FILES}/tun c 10 200 && mount --bind ${FILES}/tun /dev/net/tun; fi`,
    `mount --bind ${project} ${PROJECT}`,
    `ip link set lo up && ip address add ${OUTSIDE}/32 dev lo`,
    // A kernel without veth gives no outside.
    `if ip link add eth0 type veth peer name outside; then ${outside}; fi`,
  ].join(' && ');
}

/** The command, whose paths below the project the user can reach, run by the user in the environment of a session. */
export function asUser(project: string, command: readonly string[]): string[] {
  const id = String(USER.id);
  const reachable = command.map(word =>
    word.startsWith(`${project}/`) ? PROJECT + word.slice(project.length) : word,
  );
  return ['setpriv', '--reuid', id, '--regid', id, '--clear-groups', 'env', 'HOME=/', ...reachable];
}
