// The agent: one on each host. It tells the store which boxes are here, and the kernel which boxes are elsewhere.
import { setTimeout as sleep } from 'node:timers/promises';
import { allStates, isRunning } from '../12-stay/state.ts';
import type { Host } from './hosts.ts';
import { programTunnel } from './overlay.ts';
import type { Place } from './table.ts';

/** Seconds after which the store forgets a host that it does not hear of. */
const LEASE = 3;
/** Milliseconds: between two rounds, and until an answer counts as lost. */
const [ROUND, PATIENCE] = [300, 1000];
const [FIRST, BEHIND] = ['box/hosts/', 'box/hosts0'];

const base64 = (text: string): string => Buffer.from(text).toString('base64');

export async function keepTable(host: Host, store: string): Promise<never> {
  const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await fetch(`${store}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal,
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as Record<string, unknown>;
  };
  let lease: unknown;
  let said = '';
  const say = (text: string): void => {
    if (text !== said) console.log(text);
    said = text;
  };
  for (; ; await sleep(ROUND)) {
    try {
      if (lease === undefined) lease = (await ask('lease/grant', { TTL: LEASE })).ID;
      else await ask('lease/keepalive', { ID: lease });
      const value = base64(JSON.stringify({ host: host.address, boxes: boxesOn(host) }));
      // Fails if the lease has ended in the meantime; the next round takes a new one.
      await ask('kv/put', { key: base64(FIRST + host.name), value, lease });
      const { kvs = [] } = await ask('kv/range', { key: base64(FIRST), range_end: base64(BEHIND) });
      const places = (kvs as { value: string }[]).flatMap(placesIn);
      programTunnel(host, places);
      say(`${places.length} boxes`);
    } catch (error) {
      if (/: 404$/.test((error as Error).message)) lease = undefined;
      // The table stays as it is: what was true a moment ago is better than nothing.
      say('no answer from the store');
    }
  }
}

function boxesOn({ name }: Host): string[] {
  return allStates().flatMap(state => {
    const { host, address } = state.spec;
    return host === name && address !== undefined && isRunning(state) ? [address] : [];
  });
}

function placesIn({ value }: { value: string }): Place[] {
  const { host, boxes } = JSON.parse(Buffer.from(value, 'base64').toString()) as {
    host: string;
    boxes: string[];
  };
  return boxes.map(address => ({ address, host }));
}
