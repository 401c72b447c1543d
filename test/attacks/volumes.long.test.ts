// A container that shares a volume and exchanges a directory in it with a symbolic link, while others start with mounts
// below that directory, two thousand times in all (CVE-2021-30465): whatever it finds the moment for, a mount lands in the container or nowhere.
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { RENAME } from '../../mini-docker/linux/constants.ts';
import type { Item } from '../../mini-docker/linux/program.ts';
import { mayFail } from '../../mini-docker/linux/step.ts';
import { renameat2 } from '../../mini-docker/linux/syscalls.ts';
import { TestContainers } from '../../mini-docker/runtime/testing/container.ts';
import { confine, placeProgram } from './attacker.ts';

const containers = new TestContainers();
afterAll(async () => {
  await containers.deleteAll();
  containers[Symbol.dispose]();
});

const STARTS = 700;
const AT_ONCE = 4;
const AT_FDCWD = -100;

/** Exchanges two names for ever. */
function exchange(a: string, b: string): Item[] {
  return [
    { control: 'label', name: 'again' },
    mayFail(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME.EXCHANGE)),
    { control: 'jump', to: 'again' },
  ];
}

test.each([
  ['/', 'the root'],
  ['/proc/self/fd', 'our descriptors'],
  ['../../../../../../../../tmp', 'up'],
])(
  `a directory that turns into a link to %s (%s) while containers start, ${STARTS} times`,
  { timeout: 300_000 },
  async target => {
    const volume = join(containers.directory, `volume-${target.replaceAll(/\W/g, '-')}`);
    const secret = join(containers.directory, 'secret');
    for (const directory of [join(volume, 'dir/sub'), join(volume, 'dir/tmp'), secret]) {
      mkdirSync(directory, { recursive: true });
    }
    writeFileSync(join(secret, 'file'), 'untouched');
    symlinkSync(target, join(volume, 'link'));
    const mount = { destination: '/vol', type: 'bind', source: volume, options: ['rbind', 'rprivate'] };
    const program = placeProgram(containers, exchange('/vol/dir', '/vol/link'));
    const attacker = await containers.start([program], spec => {
      confine(spec);
      spec.mounts.push(mount);
    });
    const hostMounts = readFileSync('/proc/self/mountinfo', 'utf8');

    let started = 0;
    let refused = 0;
    const escapes: string[] = [];
    const worker = async (): Promise<void> => {
      while (started + refused < STARTS) {
        const starting = containers.run(
          ['sh', '-c', `ls ${secret} /vol/dir 2>/dev/null; cat /proc/sys/kernel/hostname`],
          spec => {
            confine(spec);
            spec.mounts.push(
              mount,
              { ...mount, source: secret, destination: '/vol/dir/sub' },
              {
                destination: '/vol/dir/tmp',
                type: 'tmpfs',
                source: 'tmpfs',
                options: [],
              },
            );
          },
        );
        const ended = await starting.catch(error => {
          expect(error).toMatchObject({ name: 'SyscallError' });
          return undefined;
        });
        if (ended === undefined) refused++;
        else {
          started++;
          // What is seen is the container's: its own name, and not the host's directory under the host's path.
          if (!ended.stdout.endsWith('inside\n') || ended.stdout.includes(`${secret}:`))
            escapes.push(ended.stdout);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await attacker.delete();

    expect(escapes).toEqual([]);
    expect(started, `of ${started + refused}`).toBeGreaterThan(0);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(hostMounts);
    expect(readdirSync(secret)).toEqual(['file']);
    expect(readFileSync(join(secret, 'file'), 'utf8')).toBe('untouched');
  },
);
