// A host, a second host, and containers for tests of networks: network namespaces that belong to the test.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { AttachOptions, Endpoint, Networks } from '../../mini-docker/network/network.ts';
import { openNetworks } from '../../mini-docker/network/networks.ts';
import type { OpenOptions } from '../../mini-docker/network/parts.ts';
import { type HeldProcess, hold } from './held-process.ts';
import { enterOwnMounts } from './own-mounts.ts';
import { enterOwnNetwork, ip } from './own-network.ts';

/** The network namespace in which something happens: a process's, or the host's. */
export type Place = { pid: number } | 'host';

export interface TestContainer extends AsyncDisposable {
  id: string;
  name: string;
  pid: number;
  endpoint: Endpoint;
}

export interface NetworkHosts {
  root: string;
  networks: Networks;
  /** A second host at 192.0.2.2, cabled to the first at 192.0.2.1; it has no route to the containers. */
  beyond: HeldProcess;
  /**
   * Opens the networks again, as a new daemon would after the old one was killed or was closed by the test.
   */
  reopen(options?: Partial<OpenOptions>): void;
  /**
   * Starts a process in its own network namespace and attaches it; it is detached and ends with the scope.
   */
  container(options?: Partial<AttachOptions> & { name?: string }): Promise<TestContainer>;
}

/**
 * Call at the top of a test file. Every test gets its own networks, and must leave nothing in the kernel.
 */
export function useNetworkHosts(): NetworkHosts {
  const hosts = {} as NetworkHosts;
  let count = 0;
  const open = (options: Partial<OpenOptions> = {}) =>
    openNetworks({
      root: hosts.root,
      connections: join(hosts.root, 'connections'),
      sandboxes: join(hosts.root, 'netns'),
      ...options,
    });

  beforeAll(async () => {
    enterOwnNetwork();
    enterOwnMounts();
    hosts.beyond = await hold({ wrapper: ['unshare', '--net'] });
    const there = `nsenter --net=/proc/${hosts.beyond.pid}/ns/net`;
    for (const line of [
      `ip link add up0 type veth peer name eth0 netns ${hosts.beyond.pid}`,
      'ip addr add 192.0.2.1/24 dev up0',
      'ip link set up0 up',
      `${there} ip addr add 192.0.2.2/24 dev eth0`,
      `${there} ip link set eth0 up`,
      `${there} ip link set lo up`,
    ])
      execFileSync('sh', ['-c', line]);
  });
  afterAll(() => hosts.beyond[Symbol.asyncDispose]());

  beforeEach(() => {
    hosts.root = mkdtempSync(join(tmpdir(), 'mini-docker-networks-'));
    hosts.networks = open();
  });
  afterEach(async () => {
    await hosts.networks.close();
    rmSync(hosts.root, { recursive: true });
    expect(ip('link show').map(link => link.ifname)).toEqual(['lo', 'up0']);
    expect(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })).not.toContain('mini-docker');
  });

  hosts.reopen = (options = {}) => {
    hosts.networks = open(options);
  };
  hosts.container = async (options = {}) => {
    const id = (++count).toString(16).padStart(12, '0').padEnd(64, '0');
    const { name = `c${count}`, ...others } = options;
    const process = await hold({ wrapper: ['unshare', '--net'], script: 'ip link set lo up' });
    try {
      const wanted = { network: 'bridge', containerId: id, containerName: name, pid: process.pid, ...others };
      const endpoint = await hosts.networks.attach(wanted);
      const end = async (): Promise<void> => {
        await process[Symbol.asyncDispose]();
        await hosts.networks.detach(id);
      };
      return { id, name, pid: process.pid, endpoint, [Symbol.asyncDispose]: end };
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  };
  return hosts;
}

const BUSYBOX = join(import.meta.dirname, '../../node_modules/.bin/busybox');

function enter(place: Place): string[] {
  return place === 'host' ? [] : ['nsenter', `--net=/proc/${place.pid}/ns/net`];
}

/** Returns the output of a busybox applet that runs there. */
export function run(place: Place, ...command: string[]): string {
  const [first, ...rest] = [...enter(place), BUSYBOX, ...command];
  return execFileSync(first!, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Whether a ping is answered. */
export function reaches(from: Place, address: string): boolean {
  try {
    run(from, 'ping', '-c', '1', '-W', '1', address);
    return true;
  } catch {
    return false;
  }
}

/** Whether the kernel has the queueing discipline netem. */
export function hasNetem(): boolean {
  try {
    const add = 'ip link set lo up && tc qdisc add dev lo root netem delay 1ms';
    execFileSync('unshare', ['-n', 'sh', '-c', add], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * A server that answers with its name and the client's address: each UDP datagram, or each TCP connection.
 */
const SERVER = `
  const [udp, port, name] = process.argv.slice(1);
  if (udp === 'udp') {
    const socket = require('dgram').createSocket('udp6');
    socket.on('message', (_, from) => socket.send(name + ' to ' + from.address.replace('::ffff:', ''), from.port, from.address));
    socket.bind(Number(port), () => console.log('ready'));
  } else {
    const server = require('net').createServer(client => client.end(name + ' to ' + client.remoteAddress.replace('::ffff:', '')));
    server.listen(Number(port), () => console.log('ready'));
  }`;

/** A client that prints the answer, and fails after two seconds without one. */
const CLIENT = `
  const [udp, address, port] = process.argv.slice(1);
  setTimeout(() => process.exit(1), 2000);
  const finish = data => { console.log(String(data)); process.exit(0); };
  if (udp === 'udp') {
    const socket = require('dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', finish);
    socket.send('?', Number(port), address);
  } else {
    const socket = require('net').connect(Number(port), address, () => {});
    let all = '';
    socket.on('data', data => { all += data; });
    socket.on('end', () => (all ? finish(all) : process.exit(1)));
    socket.on('error', () => process.exit(1));
  }`;

/** Starts a program there that answers each client with `name` and the client's address. */
export async function serve(
  place: Place,
  options: { port: number; protocol?: 'tcp' | 'udp'; name: string },
): Promise<AsyncDisposable> {
  const { port, protocol = 'tcp', name } = options;
  const [first, ...rest] = [...enter(place), process.execPath, '-e', SERVER, protocol, String(port), name];
  const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise(resolve => child.once('close', resolve));
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('close', () => reject(new Error(`no server on port ${port}`)));
  });
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The server's answer to a program there: 'web to 172.17.0.1'; '' for no answer. */
export function ask(
  from: Place,
  address: string,
  port: number | string,
  protocol: 'tcp' | 'udp' = 'tcp',
): Promise<string> {
  const [first, ...rest] = [...enter(from), process.execPath, '-e', CLIENT, protocol, address, String(port)];
  const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', chunk => {
    output += chunk;
  });
  return new Promise(resolve => child.once('close', () => resolve(output.trim())));
}
