// Hosts of a cluster: daemons in networks of their own, on one switch, which etcd is on too.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon, type TestDaemon } from './daemon.ts';
import { type EngineClient, engineClient, eventually } from './engine-client.ts';
import { type HeldProcess, hold } from './held-process.ts';

export interface OverlayHost {
  daemon: TestDaemon;
  engine: EngineClient;
  address: string;
}

export const inNetwork = (pid: number, line: string): string =>
  execFileSync('nsenter', ['-t', String(pid), '-n', ...line.split(' ')], { stdio: 'pipe' }).toString();

/** A member of a cluster of etcd, which can end and begin again with its data. */
export interface Member {
  /** HOST:PORT for clients. */
  readonly client: string;
  begin(): void;
  signal(signal: NodeJS.Signals): void;
  end(): Promise<void>;
}

export class Switch implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'mini-docker-etcd-'));
  readonly #hub: HeldProcess;
  readonly #members: Member[] = [];
  readonly #hosts: OverlayHost[] = [];

  private constructor(hub: HeldProcess) {
    this.#hub = hub;
  }

  /** @param addresses of etcd's members, with the length of their prefix */
  static async make(addresses: readonly string[]): Promise<Switch> {
    const hub = await hold({ wrapper: ['unshare', '--net'] });
    for (const line of [
      'ip link set lo up',
      // Without an address of its own it would change it with its ports, and hosts would have to find it again.
      'ip link add switch address 02:00:00:00:00:01 type bridge',
      'ip link set switch up',
      ...addresses.map(each => `ip addr add ${each} dev switch nodad`),
    ])
      inNetwork(hub.pid, line);
    return new Switch(hub);
  }

  get pid(): number {
    return this.#hub.pid;
  }

  /** @param flags further ones of etcd */
  member(name: string, host: string, flags: readonly string[] = []): Member {
    const [client, peer] = [`${host}:2379`, `${host}:2380`];
    const urls = ['--listen-client-urls', `http://${client}`, '--advertise-client-urls', `http://${client}`];
    const peers = ['--listen-peer-urls', `http://${peer}`, '--initial-advertise-peer-urls', `http://${peer}`];
    const own = ['--name', name, '--data-dir', join(this.directory, name), '--log-level', 'error'];
    let child: ChildProcess | undefined;
    const member: Member = {
      client,
      begin: () => {
        const args = ['-t', String(this.pid), '-n', 'etcd', ...own, ...urls, ...peers, ...flags];
        child = spawn('nsenter', args, { stdio: 'ignore' });
      },
      signal: signal => void child?.kill(signal),
      async end() {
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise(resolve => child!.once('close', resolve));
        child.kill('SIGKILL');
        await ended;
      },
    };
    this.#members.push(member);
    return member;
  }

  /** The answer of a request to etcd's gateway; the error's text where there is none. */
  async ask(member: Member, path: string, body: object): Promise<string> {
    const url = `http://${member.client}/v3/${path}`;
    const json = JSON.stringify(body);
    const args = ['-t', String(this.pid), '-n', 'curl', '-gsS', '--max-time', '5', '-d', json, url];
    try {
      return execFileSync('nsenter', args, { stdio: 'pipe', maxBuffer: 1 << 26 }).toString();
    } catch (error) {
      return (error as Error).message;
    }
  }

  async ready(member: Member): Promise<void> {
    await eventually(
      () => this.ask(member, 'maintenance/status', {}),
      answer => /"leader":"[1-9]/.test(answer),
      60_000,
    );
  }

  /** @param given.prefix length of the address's prefix */
  async host(
    name: string,
    given: { address: string; prefix: number; advertise?: string; store: string; options: string[] },
  ): Promise<OverlayHost> {
    const { address, prefix, advertise = address, store, options } = given;
    const args = ['--cluster-store', store, '--cluster-advertise', advertise];
    for (const option of options) args.push('--cluster-store-opt', option);
    const daemon = await startDaemon({ args });
    const host = { daemon, engine: engineClient(daemon), address };
    this.#hosts.push(host);
    inNetwork(this.pid, `ip link add to-${name} type veth peer name up0 netns ${daemon.namespaces}`);
    inNetwork(this.pid, `ip link set to-${name} master switch up`);
    inNetwork(daemon.namespaces, `ip addr add ${address}/${prefix} dev up0 nodad`);
    inNetwork(daemon.namespaces, 'ip link set up0 up');
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) {
      member.signal('SIGCONT');
      await member.end();
    }
    for (const { daemon } of this.#hosts) await daemon.stop();
    await this.#hub[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true });
  }
}
