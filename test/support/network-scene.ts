// A daemon, its host, and a second host, for tests of networks from outside, in network namespaces that
// belong to the test. Every test must leave no container and no network, and every file nothing in the
// kernel.
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { ContainerInspect, EndpointSettings } from '../../mini-docker/formats/engine-api/containers.ts';
import type { NetworkResource } from '../../mini-docker/formats/engine-api/networks.ts';
import { startDaemon, type TestDaemon } from './daemon.ts';
import { type Answer, type EngineClient, engineClient } from './engine-client.ts';
import { type HeldProcess, hold } from './held-process.ts';
import { ip } from './own-network.ts';

export let daemon: TestDaemon;
export let engine: EngineClient;
/** A second host at 192.0.2.2, cabled to the daemon's at 192.0.2.1. It has no route to containers. */
export let beyond: HeldProcess;
export let host: { pid: number };

/** Call at the top of a test file. */
export function useNetworkScene(): void {
  beforeAll(async () => {
    daemon = await startDaemon();
    engine = engineClient(daemon);
    host = { pid: daemon.namespaces };
    beyond = await hold({ wrapper: ['unshare', '--net'] });
    for (const line of [
      `ip link add up0 type veth peer name eth0 netns ${beyond.pid}`,
      'ip addr add 192.0.2.1/24 dev up0',
      'ip link set up0 up',
    ])
      execFileSync('nsenter', ['-t', String(host.pid), '-n', ...line.split(' ')]);
    for (const line of ['ip addr add 192.0.2.2/24 dev eth0', 'ip link set eth0 up', 'ip link set lo up'])
      execFileSync('nsenter', ['-t', String(beyond.pid), '-n', ...line.split(' ')]);
  });

  afterEach(async () => {
    for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
      await engine.json('DELETE', `/containers/${Id}?force=1&v=1`);
    for (const { Id } of await engine.json<NetworkResource[]>('GET', '/networks?filters={"type":["custom"]}'))
      await engine.json('DELETE', `/networks/${Id}`);
  });

  afterAll(async () => {
    await daemon.end('SIGTERM');
    // No container is on any network, so the kernel has none of their links.
    expect(ip('link show', host.pid).map(link => link.ifname)).toEqual(['lo', 'up0']);
    const rules = execFileSync('nsenter', ['-t', String(host.pid), '-n', 'nft', 'list', 'ruleset']);
    expect(String(rules)).not.toContain('mini-docker');
    await beyond[Symbol.asyncDispose]();
    await daemon.stop();
  });
}

export const SLEEP = ['sleep', '1000'];
/** A command that answers each connection to port 80 with the server's name. */
export const server = (name: string) => ['tcpsvd', '-E', '0', '80', 'echo', name];

export const inspect = (container: string) =>
  engine.json<ContainerInspect>('GET', `/containers/${container}/json`);
export const endpoint = async (container: string, network: string): Promise<EndpointSettings> =>
  (await inspect(container)).NetworkSettings.Networks[network]!;
export const address = async (container: string, network = 'bridge') =>
  (await endpoint(container, network)).IPAddress!;
export const inside = async (container: string): Promise<{ pid: number }> => ({
  pid: (await inspect(container)).State.Pid,
});

export function start(name: string, cmd: string[], network = 'bridge', more: Record<string, unknown> = {}) {
  const { HostConfig, ...rest } = more;
  return engine.run(cmd, { name, ...rest, HostConfig: { NetworkMode: network, ...(HostConfig as object) } });
}

export const network = (Name: string, more: object = {}) =>
  engine.json<{ Id: string }>('POST', '/networks/create', { Name, ...more });

/** Returns the output of a program that runs in a container. */
export async function exec(container: string, ...Cmd: string[]): Promise<string> {
  const body = { Cmd, AttachStdout: true, AttachStderr: true, Tty: true };
  const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${container}/exec`, body);
  const { body: output } = await engine.ask('POST', `/exec/${Id}/start`, { Detach: false, Tty: true });
  return output.toString().replaceAll('\r', '');
}

/** The answer of another container's server to a program in this one; '' when it cannot be reached. */
export const call = (container: string, to: string, port = 80) =>
  exec(container, 'sh', '-c', `nc -w 1 ${to} ${port} </dev/null 2>/dev/null`);
export const resolves = async (container: string, name: string) =>
  /Name:.*\nAddress(?: 1)?: (\S+)/.exec(await exec(container, 'nslookup', '-type=a', name))?.[1];

export const message = ({ status, body }: Answer) => `${status} ${JSON.parse(String(body) || '{}').message}`;
