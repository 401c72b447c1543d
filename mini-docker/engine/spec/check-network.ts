// Validates a request's ports and hosts before anything is made, with Docker's messages.

import { isIP } from 'node:net';
import type { PortMap } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';

/** @throws badParameter when a port is invalid */
export function checkPorts(bindings: PortMap): void {
  for (const [key, published] of Object.entries(bindings)) {
    const port = key.split('/', 1)[0]!;
    if (!isPort(port)) throw wrongPort(port);
    for (const { HostPort = '' } of published ?? []) {
      const [range = ''] = HostPort.split('/');
      const [first = '', last = first] = range.split('-');
      // An empty range asks for a free port.
      if (range !== '' && !(isPort(first) && isPort(last) && Number(first) <= Number(last)))
        throw wrongPort(HostPort);
    }
  }
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
const wrongPort = (text: string) => badParameter(`invalid port specification: ${JSON.stringify(text)}`);

/**
 * Decodes an entry of --add-host, 'name:address' or 'name=address'; host-gateway means the host's address.
 * @throws badParameter when it is not of this form
 */
export function decodeExtraHost(entry: string): { name: string; address: string } {
  const at = entry.search(/[:=]/);
  const [name, address] = [entry.slice(0, at), entry.slice(at + 1).replace(/^\[|\]$/g, '')];
  if (at < 1) throw badParameter(`bad format for add-host: ${JSON.stringify(entry)}`);
  if (address !== 'host-gateway' && isIP(address) === 0)
    throw badParameter(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  return { name, address };
}
