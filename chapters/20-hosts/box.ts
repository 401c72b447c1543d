// Chapter 20. Boxes on two hosts: chapter 19's box, which can be on any of them.
// Run: node chapters/20-hosts/box.ts hosts up | hosts down
//      … box.ts on HOST COMMAND…, where COMMAND is one of these, or any command of chapter 19:
//        run [--ip ADDRESS] [--mtu BYTES] … IMAGE [COMMAND…]
//        overlay [TABLE] | agent STORE | store | weather DELAY LOSE | look LINK PACKETS [WORD]
import { Mistake } from '../04-mounts/mistake.ts';
import { added } from '../12-stay/container.ts';
import { addedOptions, addedVerbs } from '../12-stay/spec.ts';
import { enterHost, type Host, makeHosts, removeHosts } from './hosts.ts';
import { connectToOverlay, MTU, makeOverlay, programTunnel } from './overlay.ts';

addedOptions['--ip'] = (spec, next) => {
  spec.address = next();
  spec.host = here().name;
};
addedOptions['--mtu'] = (spec, next) => {
  spec.mtu = Number(next());
};
const connect = added.connect;
added.connect = (pid, spec, network) => {
  const { address, mtu = MTU } = spec;
  return address === undefined ? connect(pid, spec, network) : connectToOverlay(pid, { address, mtu });
};

addedVerbs.push('hosts', 'on', 'overlay', 'agent', 'store', 'weather', 'look');

let host: Host | undefined;
function here(): Host {
  if (host === undefined) throw new Mistake('on which host? box.ts on one …');
  return host;
}

// The words `on HOST` are taken away: the commands of earlier chapters do not know them. A keeper inherits its host.
const name = process.argv[2] === 'on' ? process.argv.splice(2, 2)[1] : process.env.BOX_HOST;
if (name !== undefined) host = enterHost(name);
const [verb, first = '', second = '', third = ''] = process.argv.slice(2);

if (verb === 'hosts') {
  if (first === 'up') await makeHosts();
  else removeHosts();
} else if (verb === 'overlay') {
  makeOverlay(here());
  const { readTable } = await import('./table.ts');
  if (first !== '') programTunnel(here(), readTable(first));
} else if (verb === 'agent') {
  const { keepTable } = await import('./agent.ts');
  await keepTable(here(), first);
} else if (verb === 'store') {
  const { serveStore } = await import('./store.ts');
  await serveStore(here().address, 2379);
} else if (verb === 'weather') {
  const { relay } = await import('./weather.ts');
  relay({ address: here().address, delay: Number(first), lose: Number(second) });
} else if (verb === 'look') {
  const { look } = await import('./look.ts');
  await look({ link: first, packets: Number(second), word: third });
} else {
  await import('../19-names/box.ts');
}
