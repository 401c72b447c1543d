// Lays a cable to a process's network namespace.   Run: node cable.ts PID NAME ADDRESS
import {
  addAddress,
  createLink,
  decodeLink,
  getLink,
  inNetworkNamespace,
  LOOPBACK_INDEX,
  openNetlink,
  openNetworkNamespace,
  setLink,
} from '#linux';

const [pidText, name = '', address = ''] = process.argv.slice(2);
const pid = Number(pidText);

const outside = openNetlink();
outside.request(createLink({ name, kind: 'veth', peer: { name: 'eth0', namespace: { pid } } }));
outside.request(setLink(name, { up: true }));

inNetworkNamespace(openNetworkNamespace({ pid }), () => {
  const inside = openNetlink();
  const { index } = inside.get(getLink('eth0'), decodeLink)!;
  inside.request(setLink(LOOPBACK_INDEX, { up: true }));
  inside.request(addAddress({ link: index, address, prefixLength: 24 }));
  inside.request(setLink(index, { up: true }));
});
