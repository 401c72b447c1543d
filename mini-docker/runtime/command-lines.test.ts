import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AT, O } from '../linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../linux/elf.ts';
import { readStat } from '../linux/proc/stat.ts';
import { compile } from '../linux/program.ts';
import { hostArchitecture, resultOf, syscall } from '../linux/step.ts';
import { exitGroup, openat } from '../linux/syscalls.ts';
import { commandLines } from './command-lines.ts';
import { serveSilentFile } from './testing/silent-file.ts';

const mmap = syscall('mmap', { x64: 9, arm64: 222 }, ['int', 'int', 'int', 'int', 'fd', 'int']);
const nanosleep = syscall('nanosleep', { x64: 35, arm64: 101 }, ['buffer', 'int']);
const [PROT_READ, MAP_PRIVATE] = [1, 2];

/** A program that maps the file, during which the kernel has its memory locked. */
function trap(file: string): Buffer {
  const architecture = hostArchitecture();
  const opened = openat(AT.FDCWD, file, O.RDONLY, 0);
  const program = compile(
    [
      opened,
      nanosleep(Buffer.from(new BigUint64Array([0n, 600_000_000n]).buffer), 0),
      mmap(0, 4096, PROT_READ, MAP_PRIVATE, resultOf(opened), 0),
      exitGroup(0),
    ],
    { architecture, dataAddress: ELF_DATA_ADDRESS },
  );
  return encodeElf({ architecture, code: program.code, data: program.data });
}

const isTrapped = ({ pid }: ChildProcess): boolean => {
  const { comm, state } = readStat(pid!) ?? {};
  return comm === 'trap' && state === 'D';
};

test("a command line that cannot be read delays neither the daemon nor the other processes' lines", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'command-lines-'));
  const [program, file] = [join(directory, 'trap'), join(directory, 'file')];
  writeFileSync(program, trap(file), { mode: 0o755 });
  writeFileSync(file, '');
  using silent = serveSilentFile();
  const mount = `mount -i -t fuse -o fd=3,rootmode=100000,user_id=0,group_id=0 silent ${file}`;
  // The trap's open asks for direct I/O, so its mmap waits for the page that cat then reads.
  const script = `${mount}; exec 3>&-; { sleep 0.3; exec cat ${file} 2>/dev/null; } & exec ${program} words`;
  const [before, trapped, after] = [
    spawn('sleep', ['1001']),
    spawn('unshare', ['-m', 'sh', '-c', script], { stdio: ['ignore', 'inherit', 'inherit', silent.fd] }),
    spawn('sleep', ['1002']),
  ];
  try {
    await expect.poll(() => silent.waiting > 0 && isTrapped(trapped)).toBe(true);
    const pids = [before, after, trapped].map(each => each.pid!);
    for (let round = 1; round <= 2; round++) {
      const started = performance.now();
      expect(await commandLines([...pids, 2 ** 22 + 1])).toEqual([
        ['sleep', '1001'],
        ['sleep', '1002'],
        [],
        [],
      ]);
      expect(performance.now() - started).toBeLessThan(5000);
    }
  } finally {
    for (const each of [before, trapped, after]) each.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
});
