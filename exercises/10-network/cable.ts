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
// TODO: one request makes both ends; then our end has to be set up.
void [createLink, name, outside];

inNetworkNamespace(openNetworkNamespace({ pid }), () => {
  const inside = openNetlink();
  // TODO: lo, and eth0 with its address.
  void [addAddress, address, decodeLink, getLink, inside, LOOPBACK_INDEX, setLink];
});
