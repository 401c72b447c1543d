import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { AT } from '../constants.ts';
import { unlinkat, writeText } from '../syscalls.ts';

/** The kernel's answer to a value that is written to a file of a cgroup. */
function writing(file: string, value: string | number): string {
  const fd = openSync(file, 'r+');
  try {
    return hintOf(() => call(writeText(fd, String(value))));
  } finally {
    closeSync(fd);
  }
}

const name = `mini-docker-hints-${process.pid}`;
const cpuset = `/sys/fs/cgroup/cpuset/${name}`;
const memory = `/sys/fs/cgroup/memory/${name}`;
const made: string[] = [];

function make(...groups: string[]): void {
  for (const group of groups) {
    mkdirSync(group);
    made.unshift(group);
  }
}

beforeEach(() => {
  made.length = 0;
});
afterEach(() => {
  for (const group of made) rmdirSync(group);
});

describe.skipIf(!existsSync('/sys/fs/cgroup/cpuset/tasks'))('cgroup v1', () => {
  test('a cpuset without processors or memory accepts no process', () => {
    make(cpuset);
    expect(writing(`${cpuset}/cgroup.procs`, process.pid)).toBe(
      `ENOSPC: no disk is full: cpuset.cpus and cpuset.mems of ${cpuset} are empty, and a cpuset takes processes only when both are set`,
    );
  });

  test('a cpuset has no more than the one above it', () => {
    make(cpuset, `${cpuset}/below`);
    writeFileSync(`${cpuset}/cpuset.cpus`, '0');
    expect(writing(`${cpuset}/below/cpuset.cpus`, '1')).toBe(
      `EACCES: ${cpuset}/below cannot have "1", as the group above it has "0"`,
    );
  });

  test('a process that is not there, and a value that is none', () => {
    make(memory);
    expect(writing(`${memory}/cgroup.procs`, 4_194_304)).toMatch(/ESRCH: there is no process 4194304/);
    expect(writing(`${memory}/memory.limit_in_bytes`, 'much')).toBe(
      'EINVAL: memory.limit_in_bytes does not take "much"',
    );
  });

  test('a limit below what is used', async () => {
    make(memory);
    await using held = await hold({
      wrapper: ['sh', '-c', `echo $$ >${memory}/cgroup.procs; exec "$@"`, 'sh', 'unshare', '-m'],
      script: 'mount -t tmpfs x /mnt; head -c 4000000 /dev/zero >/mnt/file',
    });
    writeFileSync(`${memory}/memory.swappiness`, '0');
    expect(held.pid).toBeGreaterThan(0);
    expect(writing(`${memory}/memory.limit_in_bytes`, '1000000')).toMatch(
      /EBUSY: .* uses \d{7} bytes, and the kernel could not free enough memory/,
    );
  });

  test.skipIf(!existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'))(
    'the limit of memory and swap together',
    () => {
      make(memory);
      writeFileSync(`${memory}/memory.limit_in_bytes`, '10000000');
      expect(writing(`${memory}/memory.memsw.limit_in_bytes`, '5000000')).toMatch(
        /EINVAL: memory.memsw.limit_in_bytes .* cannot be below memory.limit_in_bytes/,
      );
    },
  );

  test('a group that is in use cannot be removed', async () => {
    make(memory, `${memory}/below`);
    const remove = () => hintOf(() => call(unlinkat(AT.FDCWD, memory, AT.REMOVEDIR)));
    expect(remove()).toBe(`EBUSY: there are groups below ${memory}: remove those first`);
    rmdirSync(`${memory}/below`);
    made.shift();
    await using held = await hold({
      wrapper: ['sh', '-c', `echo $$ >${memory}/cgroup.procs; exec "$@"`, 'sh'],
    });
    expect(remove()).toBe(`EBUSY: ${memory} has processes (${held.pid}): they have to end or move first`);
  });
});
