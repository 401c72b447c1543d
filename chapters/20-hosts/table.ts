// Which box is on which host: a table that is written by hand.
import { readFileSync } from 'node:fs';
import { hostNamed } from './hosts.ts';

export interface Place {
  /** The box's address. */
  address: string;
  /** Its host's address. */
  host: string;
  /** The port at which the host expects its packets, if that is not the usual one. */
  port?: number;
}

/** Lines such as '10.99.0.3 two' or '10.99.0.3 two 4790'. @throws Mistake */
export function readTable(file: string): Place[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map(line => {
    const [address = '', name = '', port] = line.split(/\s+/);
    return { address, host: hostNamed(name).address, ...(port && { port: Number(port) }) };
  });
}
