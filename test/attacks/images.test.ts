// Images that try to be put together outside of themselves: what they have at the places where we mount, make, mask and
// write is a link to somewhere else.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Spec } from '../../mini-docker/formats/oci/runtime-spec.ts';
import { readMountinfo } from '../../mini-docker/linux/proc/mountinfo.ts';
import type { Container } from '../../mini-docker/runtime/container.ts';
import { createRuntime } from '../../mini-docker/runtime/runtime.ts';
import { TestContainers, textOf } from '../../mini-docker/runtime/testing/container.ts';
import { confine } from './attacker.ts';

const containers = new TestContainers();
afterEach(() => containers.deleteAll());
afterAll(() => containers[Symbol.dispose]());

let layers = 0;

/** A layer on top of the busybox one, with links in it. */
function layerWith(links: Record<string, string>): string {
  const layer = join(containers.directory, `evil-${++layers}`);
  mkdirSync(layer);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(join(layer, dirname(path)), { recursive: true });
    symlinkSync(target, join(layer, path));
  }
  return layer;
}

/** A directory of the host with a file in it, which must stay as they are. */
function victim(): { directory: string; check(): void } {
  const directory = join(containers.directory, `victim-${++layers}`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'file'), 'untouched');
  return {
    directory,
    check() {
      expect(readdirSync(directory)).toEqual(['file']);
      expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('untouched');
    },
  };
}

async function create(
  links: Record<string, string>,
  args: string[],
  change: (spec: Spec) => void = () => {},
) {
  const spec = containers.spec(args, spec => {
    confine(spec);
    change(spec);
  });
  const options = containers.options(spec);
  options.rootfs.lowerdirs.unshift(layerWith(links));
  const container = await createRuntime().create(options);
  return { container, upperdir: options.rootfs.upperdir };
}

/** The mounts are made while the container starts. */
async function start(...options: Parameters<typeof create>): Promise<void> {
  const { container } = await create(...options);
  await container.start().catch(async error => {
    await container.delete();
    throw error;
  });
}

async function outputOf(container: Container): Promise<string> {
  await container.start();
  const text = await textOf(container.stdout);
  await container.exited;
  return text;
}

describe("the kernel's filesystems", () => {
  test.each(['/proc', '/sys'])('are not mounted where a link at %s leads (CVE-2019-19921)', async path => {
    // Other tests mount in their own directories below /tmp meanwhile.
    const mounted = () =>
      readMountinfo('self')!
        .map(each => each.mountPoint)
        .filter(each => !each.startsWith('/tmp/'));
    const host = mounted();
    for (const target of ['/tmp', '/etc/../tmp', '/proc/self/fd', '/sys', '/does/not/exist']) {
      if (target === path) continue;
      await expect(start({ [path]: target }, ['true']), target).rejects.toMatchObject({
        name: 'SyscallError',
      });
    }
    expect(mounted()).toEqual(host);
  });

  test('no volume takes the place of a part of /proc, neither by its own path nor by a link of the image', async () => {
    const { directory, check } = victim();
    for (const destination of ['/proc/self/attr', '/proc/sys/kernel', '/proc/1', '/data', '/data/kernel']) {
      const starting = start({ '/data': '/proc/sys' }, ['true'], spec => {
        spec.mounts.push({ destination, type: 'bind', source: directory, options: ['rbind', 'rprivate'] });
      });
      await expect(starting, destination).rejects.toThrow(/must not be a part of \/proc/);
    }
    check();
  });

  test('a volume at /proc is refused before anything is written there', async () => {
    const { directory, check } = victim();
    const starting = start({}, ['true'], spec => {
      spec.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '0' };
      const proc = spec.mounts.find(({ destination }) => destination === '/proc')!;
      Object.assign(proc, { type: 'bind', source: directory, options: ['rbind'] });
    });
    await expect(starting).rejects.toThrow(/\/proc must be the kernel's/);
    check();
  });
});

describe('our files in a container', () => {
  test.each(['/dev', '/dev/pts', '/dev/shm'])('stays in it when the image has a link at %s', async path => {
    const { directory, check } = victim();
    const command = 'ls -l /dev/null; echo x > /dev/null; echo done';
    const run = async () => {
      const { container } = await create({ [path]: directory }, ['sh', '-c', command], spec => {
        spec.process.terminal = false;
      });
      await outputOf(container).finally(() => container.delete());
    };
    await run().catch(error => expect(error).toMatchObject({ name: 'SyscallError' }));
    check();
  });

  test('/dev/null, /dev/fd and the console are ours, whatever the image has there (CVE-2025-31133, CVE-2025-52565)', async () => {
    const { directory, check } = victim();
    const target = join(directory, 'file');
    const { container } = await create(
      { '/dev/null': target, '/dev/console': target, '/dev/pts/0': target, '/dev/ptmx': target },
      [
        'sh',
        '-c',
        'echo evil > /dev/null; echo evil > /dev/console; stat -c "%t %T %F" /dev/null; wc -c < /proc/keys',
      ],
      spec => {
        spec.process.terminal = true;
      },
    );
    await container.start();
    const text = (await textOf(container.stdout)).replaceAll('\r', '');
    expect(text).toContain('1 3 character special file\n0\n');
    await container.delete();
    check();
  });

  test('a masked file shows nothing though a volume lies over /dev (CVE-2025-31133)', async () => {
    const { directory } = victim();
    symlinkSync('/proc/sys/kernel/core_pattern', join(directory, 'null'));
    const { container } = await create(
      {},
      [
        'sh',
        '-c',
        'wc -c < /proc/keys; (echo evil > /proc/keys) 2>/dev/null; cat /proc/sys/kernel/core_pattern',
      ],
      spec => {
        spec.linux.devices = [];
        spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
        spec.mounts.push({
          destination: '/dev',
          type: 'bind',
          source: directory,
          options: ['rbind', 'rprivate'],
        });
      },
    );
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    expect(await outputOf(container)).toBe(`0\n${pattern}`);
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(pattern);
    await container.delete();
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('untouched');
  });

  test('files for /etc land in the container when /etc/hosts is a link', async () => {
    const { directory, check } = victim();
    const source = join(containers.directory, 'hosts');
    writeFileSync(source, 'ours\n');
    const ways: Record<string, string>[] = [
      { '/etc/hosts': join(directory, 'file') },
      { '/etc/hosts': '/etc/other' },
      { '/etc/hosts': '../../../../../../../tmp/hosts' },
    ];
    for (const links of ways) {
      const { container } = await create(links, ['cat', '/etc/hosts'], spec => {
        spec.mounts.push({ destination: '/etc/hosts', type: 'bind', source, options: ['rbind', 'rprivate'] });
      });
      expect(await outputOf(container)).toBe('ours\n');
      await container.delete();
      check();
    }
  });

  test.each(['bind', 'tmpfs', 'file'])(
    'a mount (%s) at a link that leads nowhere is made inside, where the link says, also over two links',
    async kind => {
      const { directory, check } = victim();
      const source = join(containers.directory, `mounted-${kind}`);
      if (kind === 'file') writeFileSync(source, 'ours\n');
      else mkdirSync(source);
      for (const target of [directory, '/srv/not/there', '../../../../srv/up', 'second']) {
        const links = { '/data': target, '/second': '/srv/twice' };

        const { container, upperdir } = await create(links, ['cat', '/proc/self/mountinfo'], spec => {
          const type = kind === 'tmpfs' ? 'tmpfs' : 'bind';
          const options = kind === 'tmpfs' ? [] : ['rbind', 'rprivate'];
          spec.mounts.push({ destination: '/data', type, source, options });
        });
        const made = { second: '/srv/twice', '../../../../srv/up': '/srv/up' }[target] ?? target;
        expect(await outputOf(container)).toContain(` ${made} `);
        await container.delete();
        expect(existsSync(join(upperdir, made))).toBe(true);
        check();
      }
    },
  );

  test("a device of one's own is made in the container when its directory is a link", async () => {
    const { directory, check } = victim();
    const device = (spec: Spec) => {
      spec.linux.devices!.push({ type: 'c', path: '/nodes/zero', major: 1, minor: 5 });
    };
    const { container, upperdir } = await create({ '/nodes': '../../../../tmp' }, ['true'], device);
    await outputOf(container);
    await container.delete();
    expect(existsSync(join(upperdir, 'tmp/zero'))).toBe(true);
    const other = await create({ '/nodes': directory }, ['true'], device);
    await outputOf(other.container);
    await other.container.delete();
    expect(existsSync(join(other.upperdir, directory, 'zero'))).toBe(true);
    check();
  });
});

describe('the working directory', () => {
  test.each([
    '/proc/self/fd/3',
    '/proc/self/fd/7',
    '/proc/self/fd/21',
    '/proc/1/fd/5',
    '/proc/thread-self/fd/9',
  ])('is none of our descriptors: %s (CVE-2024-21626)', async cwd => {
    const starting = start({}, ['true'], spec => {
      spec.process.cwd = cwd;
    });
    await expect(starting).rejects.toMatchObject({ name: 'SyscallError' });
  });

  test('is none of our descriptors by a link of the image, at the start and for exec', async () => {
    const links = Object.fromEntries(
      Array.from({ length: 24 }, (_, fd) => [`/away-${fd}`, `/proc/self/fd/${fd}`]),
    );
    const { container } = await create(links, ['sleep', '100']);
    await container.start();
    for (let fd = 0; fd < 24; fd++) {
      const starting = start(links, ['true'], spec => {
        spec.process.cwd = `/away-${fd}`;
      });
      await expect(starting, `start ${fd}`).rejects.toMatchObject({ name: 'SyscallError' });
      const { process } = containers.spec(['pwd'], confine);
      const executing = container.exec({ process: { ...process, cwd: `/away-${fd}` }, stdin: false });
      await expect(executing, `exec ${fd}`).rejects.toMatchObject({ name: 'SyscallError' });
    }
    await container.delete();
  });

  test('is made inside when it is missing, also below a link to the host', async () => {
    const { directory, check } = victim();
    const change = (spec: Spec) => {
      spec.process.cwd = '/work/here';
    };
    const { container } = await create({ '/work': '../../../../tmp' }, ['pwd', '-P'], change);
    expect(await outputOf(container)).toBe('/tmp/here\n');
    await container.delete();
    const other = await create({ '/work': directory }, ['pwd', '-P'], change);
    expect(await outputOf(other.container)).toBe(`${directory}/here\n`);
    await other.container.delete();
    check();
  });
});

test('nothing of all that was mounted on the host', () => {
  const mounts = readMountinfo('self')!.filter(({ mountPoint }) =>
    mountPoint.startsWith(containers.directory),
  );
  expect(mounts).toEqual([]);
});
