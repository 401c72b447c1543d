// The way from a user's own network namespace to the outside: a program that passes packets of a tap device
// on through ordinary sockets, as the user. pasta(1), slirp4netns(1)

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readQuietly } from '../linux/proc/file.ts';
import { isRunning, type ProcessIdentity, processIdentity } from '../linux/proc/identity.ts';

export interface Uplink {
  program?: 'pasta' | 'slirp4netns';
  process?: ProcessIdentity;
  /** Why the outside cannot be reached, in a sentence. */
  problem?: string;
}

/** The file that is mounted on /etc/resolv.conf in the user's mount namespace. */
export const resolvConfOf = (runDir: string): string => join(runDir, 'resolv.conf');

/** Address at which pasta answers DNS queries, from a range that is never routed. */
const PASTA_DNS = '169.254.1.1';
/** slirp4netns(1), "--cidr": the third address of its network. */
const SLIRP_DNS = '10.0.2.3';
/** Milliseconds. */
const PATIENCE = 10_000;

/** Starts the first program that is installed and works, unless the one of `before` still runs. */
export async function connectUplink(options: {
  runDir: string;
  /** Pid of a process in the network namespace. */
  holder: number;
  before?: Uplink | undefined;
}): Promise<Uplink> {
  const { runDir, holder, before } = options;
  if (before?.process !== undefined && isRunning(before.process)) return before;
  const failures: string[] = [];
  const missing: string[] = [];
  for (const [program, start, dns] of [
    ['pasta', startPasta, PASTA_DNS],
    ['slirp4netns', startSlirp, SLIRP_DNS],
  ] as const) {
    const started = await start(runDir, holder);
    if (started === undefined) {
      missing.push(program);
      continue;
    }
    if ('failure' in started) {
      failures.push(`${program}: ${started.failure}`);
      continue;
    }
    // In place: the file is mounted on /etc/resolv.conf.
    writeFileSync(resolvConfOf(runDir), withNameServer(hostResolvConf(), dns));
    return { program, process: started.process };
  }
  const why =
    failures.length > 0
      ? (tunProblem() ?? [...failures, ...missing.map(name => `install ${name}`)].join('; '))
      : 'install pasta (package passt) or slirp4netns';
  return { problem: `this rootless daemon and its containers have no way out: ${why}` };
}

/** The host's /etc/resolv.conf; '' when there is none. */
export const hostResolvConf = (): string => readQuietly('/etc/resolv.conf') ?? '';

/** resolv.conf(5): search domains and options stay. */
function withNameServer(text: string, address: string): string {
  const others = text.split('\n').filter(line => line !== '' && !/^\s*(?:nameserver\b|[#;])/.test(line));
  return `${[`nameserver ${address}`, ...others].join('\n')}\n`;
}

/** Both programs make a tap device, by a file that distributions open to all users. */
function tunProblem(): string | undefined {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'there is no /dev/net/tun; root can load it (modprobe tun)'
      : 'this user may not open /dev/net/tun; root can permit it (chmod 666 /dev/net/tun)';
  }
}

type Started = { process: ProcessIdentity } | { failure: string } | undefined;

/** pasta returns when the network is up, and goes on in the background. */
async function startPasta(runDir: string, holder: number): Promise<Started> {
  const pidFile = join(runDir, 'pasta.pid');
  const noPorts = ['-t', '-u', '-T', '-U'].flatMap(flag => [flag, 'none']);
  // Without --no-map-gw, the gateway's address would lead to services on the host's 127.0.0.1.
  const args = ['--config-net', '--no-map-gw', '--dns-forward', PASTA_DNS, '--quiet', '--pid', pidFile];
  const { error, status, stderr } = spawnSync('pasta', [...args, ...noPorts, String(holder)], {
    encoding: 'utf8',
    timeout: PATIENCE,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined;
  if (status !== 0) {
    const failure = lastLine(stderr) ?? error?.message ?? `it ended with ${status}`;
    const isDenied = /open (?:user|network) namespace.*Permission denied/.test(failure);
    return { failure: isDenied ? `${failure} (as by Debian 12's AppArmor profile for passt)` : failure };
  }
  const process = processIdentity(Number(readFileSync(pidFile, 'utf8')));
  rmSync(pidFile);
  return process === undefined ? { failure: 'it has ended' } : { process };
}

/** slirp4netns stays in the foreground and writes a byte when the network is up. */
async function startSlirp(runDir: string, holder: number): Promise<Started> {
  const args = [
    '--configure',
    '--mtu=65520',
    '--disable-host-loopback',
    '--ready-fd=3',
    String(holder),
    'tap0',
  ];
  const logFile = join(runDir, 'slirp4netns.log');
  const log = openSync(logFile, 'w', 0o600);
  const child = spawn('slirp4netns', args, { detached: true, stdio: ['ignore', log, log, 'pipe'] });
  closeSync(log);
  const isReady = await new Promise<boolean | NodeJS.ErrnoException>(resolve => {
    child.once('error', resolve);
    child.once('exit', () => resolve(false));
    child.stdio[3]!.once('data', () => resolve(true));
    setTimeout(resolve, PATIENCE, false).unref();
  });
  child.stdio[3]!.destroy();
  child.unref();
  if (isReady instanceof Error) return isReady.code === 'ENOENT' ? undefined : { failure: isReady.message };
  if (!isReady) {
    child.kill('SIGKILL');
    return { failure: lastLine(readFileSync(logFile, 'utf8')) ?? 'it has ended' };
  }
  return { process: processIdentity(child.pid!)! };
}

function lastLine(text: string | null): string | undefined {
  return text?.trim().split('\n').pop() || undefined;
}
