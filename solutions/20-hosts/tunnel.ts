// Makes a host's end of an overlay network.   Run: node tunnel.ts BRIDGE VNI OWN MTU < TABLE
import { readFileSync } from 'node:fs';
import { addForwarding, addNeighbour, createLink, decodeLink, getLink, openNetlink, setLink } from '#linux';

const [bridge = '', vni, own = '', mtu] = process.argv.slice(2);
const lines = readFileSync(0, 'utf8').split('\n').filter(Boolean);
const places = lines.map(line => {
  const [address = '', mac = '', host = ''] = line.split(' ');
  return { address, mac, host };
});

const machine = openNetlink();
const master = machine.get(getLink(bridge), decodeLink)!.index;
const vxlan = { id: Number(vni), local: own, port: 4789, learning: false, proxy: true };
const tunnel = createLink({ name: 'tunnel', kind: 'vxlan', mtu: Number(mtu) - 50, vxlan });
machine.request(tunnel, { mayFail: ['EEXIST'] });
machine.request(setLink('tunnel', { master, up: true }));
const link = machine.get(getLink('tunnel'), decodeLink)!.index;
for (const { address, mac, host } of places) {
  if (host === own) continue;
  machine.request(addNeighbour({ link, address, mac }));
  machine.request(addForwarding({ link, mac, host }));
}
