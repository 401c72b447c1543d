// User-defined networks: each has a bridge, a range of addresses, and a table of rules that keeps it apart.
// The engine: mini-docker/network/
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { deleteLink, openNetlink } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import { bridgeOf, type Network } from '../10-network/network.ts';
import { checkName } from '../12-stay/spec.ts';
import { allStates, isRunning } from '../12-stay/state.ts';

const DIRECTORY = '/tmp/box/networks';

export interface NamedNetwork extends Network {
  name: string;
}

/** One file for each network: its name is the number of the network, its content the name. */
export function allNetworks(): NamedNetwork[] {
  if (!existsSync(DIRECTORY)) return [];
  const numbers = readdirSync(DIRECTORY).sort((a, b) => Number(a) - Number(b));
  return numbers.map(number => ({
    name: readFileSync(`${DIRECTORY}/${number}`, 'utf8'),
    bridge: `box${number}`,
    prefix: `10.88.${number}`,
  }));
}

export function findNetwork(name: string): NamedNetwork | undefined {
  return allNetworks().find(network => network.name === name);
}

/** @throws Mistake if the name is taken: `--net` takes names of networks and of boxes */
export function createNetwork(name: string): NamedNetwork {
  checkName(name);
  const taken = [...['box', 'none', 'host'], ...allNetworks().map(each => each.name)];
  if (taken.includes(name)) throw new Mistake(`there is a network ${name} already`);
  if (allStates().some(({ spec }) => spec.name === name)) throw new Mistake(`${name} is the name of a box`);
  claimNumber(name);
  const network = findNetwork(name)!;
  prepare(network);
  return network;
}

/** The first free number, as `lease` finds the first free address. Number 0 is chapter 10's network. */
function claimNumber(name: string): void {
  mkdirSync(DIRECTORY, { recursive: true });
  for (let number = 1; number < 255; number++) {
    try {
      writeFileSync(`${DIRECTORY}/${number}`, name, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Mistake('there are 254 networks already');
}

/** @throws Mistake if a box still runs in it */
export function removeNetwork(name: string): void {
  const network = findNetwork(name);
  if (network === undefined) throw new Mistake(`there is no network ${name}`);
  const user = allStates().find(state => state.spec.net === name && isRunning(state));
  if (user !== undefined) throw new Mistake(`${user.spec.name} runs in the network ${name}: stop it first`);
  using machine = openNetlink();
  machine.request(deleteLink(network.bridge), { mayFail: ['ENODEV'] });
  spawnSync('nft', ['delete', 'table', 'ip', network.bridge]);
  rmSync(`${DIRECTORY}/${network.bridge.slice('box'.length)}`);
}

/** What of a network lives in the kernel. After a restart of the machine, only the file is left. */
export function prepare(network: Network): Network {
  using machine = openNetlink();
  bridgeOf(machine, network);
  execFileSync('nft', ['-f', '-'], { input: rulesOf(network) });
  return network;
}

/** An empty table first: it can be deleted whether there was one or not. nft takes all of it, or nothing. */
function rulesOf({ bridge, prefix }: Network): string {
  return `
table ip ${bridge} {}
delete table ip ${bridge}
table ip ${bridge} {
  chain forward {
    type filter hook forward priority filter;
    ct status dnat accept
    iifname "${bridge}" oifname != "${bridge}" oifname "box*" drop
    oifname "${bridge}" iifname != "${bridge}" iifname "box*" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr ${prefix}.0/24 oifname != "${bridge}" masquerade
    ip saddr 127.0.0.0/8 oifname "${bridge}" masquerade
  }
}`;
}
