// Runs a command under another kernel: a virtual machine that sees this machine's files, read-only, as its own.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCpio } from './cpio.ts';
import { baseInitramfs, cacheOf, kernelOf, repository, rootOf, type VmArchitecture } from './image.ts';

export interface VmCommand {
  architecture: VmArchitecture;
  /** Run in the repository's directory, as root. /tmp, /run and /var/lib can be written to and begin empty. */
  command: string[];
  /** Milliseconds, the machine's start (4 s) counted in. */
  timeout: number;
  /** A further disk, /dev/vdb, which outlives the machine: a file. Writes do not wait in this machine's cache. */
  disk?: string;
  /** Receives all that the machine says, as it comes. */
  onOutput?(text: string): void;
  /** Takes the machine's power away. */
  powerOff?: AbortSignal;
}

export interface VmResult {
  /** Undefined when the machine ended, or had to be ended, before the command did. */
  code: number | undefined;
  /** What the command wrote; where it did not end, all that the machine said. */
  output: string;
}

interface Hardware {
  emulator: string;
  machine: string[];
  console: string;
}

/**
 * Without KVM on purpose: a test machine is often virtual itself, and what it has under that name may not work. With a
 * host thread for each processor Node ends now and then with a segmentation fault (QEMU 7.2).
 */
export const hardware: Record<VmArchitecture, Hardware> = {
  x64: {
    emulator: 'qemu-system-x86_64',
    machine: ['-machine', 'q35', '-accel', 'tcg,thread=single', '-cpu', 'max'],
    console: 'ttyS0',
  },
  arm64: {
    emulator: 'qemu-system-aarch64',
    machine: ['-machine', 'virt', '-accel', 'tcg,thread=single', '-cpu', 'cortex-a72'],
    console: 'ttyAMA0',
  },
};

/** Resolves when the machine is gone, and never leaves it behind. */
export async function runInVm(machine: VmCommand): Promise<VmResult> {
  const { architecture, command, timeout } = machine;
  const directory = mkdtempSync(join(cacheOf(architecture), 'run-'));
  try {
    const initramfs = join(directory, 'initramfs');
    writeFileSync(initramfs, Buffer.concat([baseInitramfs(architecture), commandPart(command, timeout)]));
    const disk = join(directory, 'disk');
    writeFileSync(disk, '');
    truncateSync(disk, 2 * 2 ** 30);
    execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', disk]);
    const args = qemuArguments({ architecture, initramfs, disk, further: machine.disk });
    const said = await runQemu(args, machine);
    const ran = /vm: the command begins\n(?<output>.*)\nvm: the command ended with (?<code>\d+)\n/s.exec(
      said,
    );
    if (!ran) return { code: undefined, output: said };
    return { code: Number(ran.groups!.code), output: ran.groups!.output! };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The kernel unpacks archives that stand one behind the other, one over the other. */
function commandPart(command: string[], timeout: number): Buffer {
  const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  const script = `cd ${quoted(repository)}\nexec ${command.map(quoted).join(' ')}\n`;
  return encodeCpio([
    { path: 'vm/command', mode: 0o100755, content: Buffer.from(script) },
    { path: 'vm/repository', mode: 0o100644, content: Buffer.from(repository) },
    { path: 'vm/timeout', mode: 0o100644, content: Buffer.from(String(Math.ceil(timeout / 1000))) },
  ]);
}

function qemuArguments(machine: {
  architecture: VmArchitecture;
  initramfs: string;
  disk: string;
  further: string | undefined;
}): string[] {
  const { architecture, initramfs, disk, further } = machine;
  const share = (tag: string, path: string) => [
    '-virtfs',
    `local,path=${path},mount_tag=${tag},security_model=none,readonly=on,multidevs=remap`,
  ];
  const { emulator, machine: virtual, console } = hardware[architecture];
  return [
    emulator,
    ...virtual,
    ...['-m', '1024', '-smp', '2', '-nodefaults', '-no-user-config', '-nographic', '-no-reboot'],
    ...['-serial', 'stdio', '-kernel', kernelOf(architecture), '-initrd', initramfs],
    // A timer that comes late, as on a busy machine, would be taken for one that does not work.
    ...['-append', `console=${console} quiet loglevel=3 panic=-1 no_timer_check`],
    ...share('host', '/'),
    ...['-drive', `if=virtio,format=raw,cache=unsafe,file=${disk}`],
    ...(further === undefined ? [] : ['-drive', `if=virtio,format=raw,cache=none,file=${further}`]),
    ...(architecture === 'arm64' ? share('root', rootOf(architecture)) : []),
  ];
}

function runQemu([program, ...args]: string[], { timeout, onOutput, powerOff }: VmCommand): Promise<string> {
  return new Promise((resolve, reject) => {
    // The kernel ends it together with us, however we end.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program!, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    const limit = setTimeout(() => child.kill('SIGKILL'), timeout);
    powerOff?.addEventListener('abort', () => child.kill('SIGKILL'));
    child.stdout.on('data', chunk => {
      chunks.push(chunk);
      onOutput?.(chunk.toString().replaceAll('\r', ''));
    });
    child.stderr.on('data', chunk => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(limit);
      resolve(Buffer.concat(chunks).toString().replaceAll('\r', ''));
    });
  });
}
