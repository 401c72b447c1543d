// Programs for arm64, run by the processor of another architecture: Linux lets a user namespace say which program
// interprets which files (binfmt_misc, Linux 6.7), so that the machine itself learns of none.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackDebian } from '../vm/debian.ts';

const REGISTRY = '/proc/sys/fs/binfmt_misc';
/** The name by which mmdebstrap looks for it. */
const NAME = 'qemu-aarch64';

/** The first 20 bytes of an executable ELF file for arm64, fixed or position-independent (type 2 or 3), of any ABI. */
const MAGIC = '7f454c460201010000000000000000000200b700';
const MASK = 'ffffffffffffff00fffffffffffffffffeffffff';
const escaped = (hex: string): string => hex.replace(/../g, '\\x$&');

export function runsArm64(): boolean {
  return process.arch === 'arm64' || existsSync(join(REGISTRY, NAME));
}

/**
 * Runs a command, with all ids that it has outside, in a user namespace in which programs for arm64 run.
 * @param directory where the interpreter goes, as Debian's package has it
 * @returns its exit code
 * @throws Error where Debian's packages cannot be had
 */
export async function withArm64(directory: string, command: string[]): Promise<number> {
  unpackDebian({
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
    names: ['qemu-user-static'],
    directory,
    members: ['./usr/bin/qemu-aarch64-static'],
  });
  // F: the kernel opens the interpreter now, so that it is found below a new root, too.
  const rule = `:${NAME}:M::${escaped(MAGIC)}:${escaped(MASK)}:${join(directory, 'usr/bin/qemu-aarch64-static')}:F`;
  const script = `set -e; echo; read -r mapped; mount -t binfmt_misc binfmt_misc ${REGISTRY}
    printf %s "$0" >${REGISTRY}/register; exec "$@"`;
  const child = spawn('unshare', ['--user', '--mount', 'sh', '-c', script, rule, ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // From inside, only one id could be mapped.
  child.stdout.once('data', () => {
    for (const kind of ['uid', 'gid']) writeFileSync(`/proc/${child.pid}/${kind}_map`, '0 0 65536');
    child.stdin.end('mapped\n');
    child.stdout.pipe(process.stdout);
  });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
