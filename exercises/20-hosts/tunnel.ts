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
// TODO: the tunnel, a port of the bridge.
void [bridge, vni, own, mtu, machine, createLink, decodeLink, getLink, setLink];
// TODO: who is where?
void [places, addForwarding, addNeighbour];
