// A virtual machine that is used as its user would: by ssh, through reboots, and with its power cut.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VmArchitecture } from '../vm/image.ts';
import { hardware } from '../vm/vm.ts';
import { imageOf, USER } from './image.ts';

export interface Ended {
  code: number;
  output: string;
}

export interface Machine extends AsyncDisposable {
  /**
   * A command line for bash, in a session of the user's. Its output is what the command wrote to both streams.
   * @param options.timeout milliseconds; 5 minutes by default
   */
  run(line: string, options?: { timeout?: number; input?: Uint8Array }): Promise<Ended>;
  /** Waits until the machine has started anew. */
  reboot(): Promise<void>;
  /** For a person: how to look into it by hand. */
  sshCommand: string;
}

/** Emulated, the machine takes half a minute to start; more, while the one that it runs on is busy. */
const START = 600_000;

/**
 * Without KVM and with one thread, for the reasons that test/vm/vm.ts gives. Nothing in it reaches the outside. QEMU without
 * SVM tells no widths of addresses, so that a kernel with five levels of pages takes its own for invalid, and writes paths
 * in mountinfo as 'xxx'.
 */
const qemuArguments = (architecture: VmArchitecture, port: number): string[] => {
  const { kernel, initramfs, disk } = imageOf(architecture);
  const { machine, console } = hardware[architecture];
  return [
    ...machine,
    ...(architecture === 'x64' ? ['-cpu', 'max,svm=off,la57=off'] : []),
    ...['-smp', '2', '-m', '4096', '-nodefaults', '-no-user-config', '-nographic', '-serial', 'stdio'],
    ...['-kernel', kernel, '-initrd', initramfs],
    '-append',
    `root=/dev/vda rw console=${console} apparmor=1 security=apparmor systemd.unified_cgroup_hierarchy=1 net.ifnames=0 panic=-1`,
    ...['-drive', `if=virtio,format=raw,cache=unsafe,snapshot=on,file=${disk}`],
    ...['-netdev', `user,id=wire,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...['-device', 'virtio-net-pci,netdev=wire', '-device', 'virtio-rng-pci'],
  ];
};

/** @param console where the serial console's words go */
export async function startMachine(architecture: VmArchitecture, console: string): Promise<Machine> {
  const port = await freePort();
  // The kernel ends it together with us, however we end.
  const emulator = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', hardware[architecture].emulator, ...qemuArguments(architecture, port)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const words = createWriteStream(console);
  emulator.stdout.pipe(words);
  emulator.stderr.pipe(words);
  const directory = mkdtempSync('/tmp/machine-');
  const control = join(directory, 'ssh');
  const ssh = [
    ...['-i', imageOf(architecture).key, '-p', String(port), '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'],
    ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=60'],
    ...['-o', 'ControlMaster=auto', '-o', `ControlPath=${control}`, '-o', 'ControlPersist=yes'],
    `${USER}@127.0.0.1`,
  ];
  const forget = () => {
    try {
      execFileSync('ssh', ['-O', 'exit', ...ssh], { stdio: 'ignore' });
    } catch {
      // There was no connection.
    }
  };
  const run: Machine['run'] = (line, { timeout = 300_000, input } = {}) =>
    new Promise(resolve => {
      const child = execFile(
        'ssh',
        [...ssh, line],
        { timeout, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, output: `${stdout}${stderr}` });
        },
      );
      child.stdin!.on('error', () => {});
      child.stdin!.end(input);
    });
  const startId = async () => (await run('cat /proc/sys/kernel/random/boot_id', { timeout: 90_000 })).output;
  const waitForStart = async (former: string) => {
    const end = Date.now() + START;
    for (;;) {
      if (emulator.exitCode !== null) throw new Error(`the emulator ended: see ${console}`);
      const now = await startId();
      if (/^[\da-f-]{36}\n$/.test(now) && now !== former) break;
      if (Date.now() > end) throw new Error(`the machine did not start in ${START / 1000} seconds: ${now}`);
      await sleep(1000);
    }
    await run('systemctl is-system-running --wait');
  };
  const end = async () => {
    forget();
    if (emulator.exitCode === null && emulator.kill('SIGKILL')) await once(emulator, 'exit');
    rmSync(directory, { recursive: true });
  };
  try {
    await waitForStart('');
  } catch (error) {
    await end();
    throw error;
  }
  return {
    run,
    async reboot() {
      const former = await startId();
      await run('sudo systemctl reboot');
      forget();
      await waitForStart(former);
    },
    sshCommand: `ssh ${ssh.join(' ')}`,
    [Symbol.asyncDispose]: end,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
