// A program that changes the permissions and the owner of everything that it can reach, by paths and by its descriptors.
// The nodes of /dev that it could spoil are this test's own: it works in a mount namespace where they lie over the machine's.
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { capture } from '../../learn/sandbox/capture.ts';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';
import type { Spec } from '../../mini-docker/formats/oci/runtime-spec.ts';
import { TestContainers } from '../../mini-docker/runtime/testing/container.ts';
import { enterOwnMounts, shell } from '../support/own-mounts.ts';
import { confine } from './attacker.ts';

const NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
/** What a hostile program does to all it finds; the shell's own output goes to a pipe. */
const SPOIL = `for f in /proc/self/fd/0 /proc/self/fd/1 /proc/1/fd/0 /proc/keys /proc/kcore /proc/timer_list /dev/* /nodes/*; do
  chmod 1600 $f; chown 1234:1234 $f; done 2>/dev/null; echo spoilt`;

let containers: TestContainers;
beforeAll(() => {
  enterOwnMounts();
  for (const name of NODES) {
    const numbers = `$(stat -c '0x%t 0x%T' /dev/${name})`;
    shell(`mknod -m 666 /srv/${name} c ${numbers}; mount --bind /srv/${name} /dev/${name}`);
  }
  containers = new TestContainers();
});
afterEach(() => containers.deleteAll());
afterAll(() => containers[Symbol.dispose]());

const idOf = (path: string): string => {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
};
const stateOf = (path: string): string => {
  const { mode, uid, gid } = statSync(path);
  return `${(mode & 0o7777).toString(8)} ${uid} ${gid}`;
};
const nodesAreWhole = (): void =>
  expect(NODES.map(name => stateOf(`/dev/${name}`))).toEqual(NODES.map(() => '666 0 0'));

/** Files of the host's /dev that the process has open, or can name: masks are files that are mounted on. */
function hostNodesWithin(pid: number): string[] {
  const ofHost = new Set(NODES.map(name => idOf(`/dev/${name}`)));
  const paths = [
    ...readdirSync(`/proc/${pid}/fd`).map(fd => `/proc/${pid}/fd/${fd}`),
    ...readdirSync(`/proc/${pid}/root/dev`).map(name => `/proc/${pid}/root/dev/${name}`),
    ...['/proc/keys', '/proc/kcore', '/proc/timer_list'].map(path => `/proc/${pid}/root${path}`),
  ];
  const there = paths.filter(path => statSync(path, { throwIfNoEntry: false }) !== undefined);
  return there.filter(path => ofHost.has(idOf(path)));
}

const asRootOfHost = ({ linux }: Spec): void => {
  linux.namespaces.push({ type: 'user' });
  linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65_536 }];
  linux.gidMappings = linux.uidMappings;
};
const ways: [string, (spec: Spec) => void][] = [
  ['as always', () => {}],
  [
    'with --device',
    ({ linux }) => void linux.devices!.push({ type: 'c', path: '/nodes/zero', major: 1, minor: 5 }),
  ],
  ['with a terminal', ({ process }) => void Object.assign(process, { terminal: true })],
  ['with --uidmap 0:0:65536', asRootOfHost],
  [
    'with --uidmap 0:0:65536 and --device',
    spec => {
      asRootOfHost(spec);
      spec.linux.devices!.push({ type: 'c', path: '/nodes/zero', major: 1, minor: 5 });
    },
  ],
];

test.each(ways)(
  'a container (%s) spoils no device of the host, neither at its start nor by exec',
  async (_, change) => {
    const container = await containers.start(['sh', '-c', `${SPOIL}; exec sleep 1000`], spec => {
      confine(spec);
      change(spec);
    });
    await new Promise<void>(resolve => {
      container.stdout!.on('data', data => String(data).includes('spoilt') && resolve());
    });
    nodesAreWhole();
    expect(hostNodesWithin(container.pid)).toEqual([]);

    const { process } = containers.spec(['sh', '-c', SPOIL], confine);
    const spoiling = await container.exec({ process, stdin: false });
    expect((await spoiling.exited).code).toBe(0);
    nodesAreWhole();
    const staying = await container.exec({ process: { ...process, args: ['sleep', '1000'] }, stdin: false });
    expect(hostNodesWithin(staying.pid)).toEqual([]);
    expect(readlinkSync(`/proc/${staying.pid}/fd/0`)).toBe('/dev/null');
  },
);

test.each(ways)(
  'a container (%s) changes no file of /proc, which are those of the machine',
  async (_, change) => {
    // To the mode that it has: no harm if it is possible. A mask is a node of the container's own.
    const script = `for f in /proc/[a-z]*; do [ -L $f ] || [ -c $f ] || { chmod $(stat -c %a $f) $f && echo $f; }; done 2>/dev/null; echo 7 > /proc/self/oom_score_adj && echo own`;
    const lines = await containers.lines(script, spec => {
      confine(spec);
      change(spec);
    });
    expect(lines.map(line => line.trim())).toEqual(['own']);
  },
);

test('standard input that is nothing can be read and written, by others than root as well', async () => {
  const script = 'cat; cat < /dev/stdin; echo x > /dev/stdin && echo done';
  const asUser = ({ process }: Spec): void => {
    process.user = { uid: 1000, gid: 1000 };
  };
  for (const change of [asUser, asRootOfHost])
    expect(await containers.lines(script, change)).toEqual(['done']);
});

test('a program in a sandbox of the course spoils no device of the machine', async () => {
  await using sandbox = await Sandbox.create();
  const { stdout } = await capture(sandbox, ['sh', '-c', SPOIL]);
  expect(stdout).toBe('spoilt\n');
  nodesAreWhole();
  const code = "for (const f of ['/dev/null', '/dev/fd/0']) require('fs').chmodSync(f, 0o600)";
  await capture(sandbox, ['node', '-e', code]);
  nodesAreWhole();
  expect(hostNodesWithin(sandbox.pid)).toEqual([]);
});
