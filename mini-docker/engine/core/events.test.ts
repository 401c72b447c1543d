import { expect, test } from 'vitest';
import type { Filters } from '../../formats/engine-api/system.ts';
import { Events } from './events.ts';

function container(events: Events, action: string, name = 'web') {
  events.emit('container', action, {
    id: `id-${name}`,
    attributes: { name, image: 'busybox:latest', tier: 'front' },
  });
}
async function actions(events: Events, filters: Filters = {}) {
  const found: string[] = [];
  for await (const message of events.subscribe({
    since: 0n,
    until: BigInt(Date.now() + 20) * 1_000_000n,
    filters,
  })) {
    found.push(message.Action);
  }
  return found;
}

test('past events are sent on request, and new ones as they come', async () => {
  const events = new Events();
  container(events, 'create');
  const leave = new AbortController();
  const messages = events.subscribe({ since: 0n, signal: leave.signal });
  container(events, 'start');
  setTimeout(() => container(events, 'die'), 5);
  const found: string[] = [];
  for await (const message of messages) {
    found.push(message.Action);
    if (message.Action === 'die') leave.abort();
  }
  expect(found).toEqual(['create', 'start', 'die']);
  expect(events.listeners).toBe(0);
});

test('without `since` there are no past events', async () => {
  const events = new Events();
  container(events, 'create');
  const messages = events.subscribe({});
  container(events, 'start');
  for await (const message of messages) {
    expect(message).toMatchObject({
      status: 'start',
      id: 'id-web',
      from: 'busybox:latest',
      Type: 'container',
    });
    break;
  }
  expect(events.listeners).toBe(0);
});

test('filters of different kinds must all match, of one kind one', async () => {
  const events = new Events();
  container(events, 'create');
  container(events, 'exec_start: sh -c x');
  container(events, 'start', 'db');
  events.emit('network', 'connect', { id: 'n', attributes: { name: 'bridge', container: 'id-web' } });
  expect(await actions(events, { type: ['network'] })).toEqual(['connect']);
  expect(await actions(events, { container: ['db'] })).toEqual(['start']);
  expect(await actions(events, { container: ['web', 'db'], event: ['start', 'create'] })).toEqual([
    'create',
    'start',
  ]);
  expect(await actions(events, { event: ['exec_start'] })).toHaveLength(1);
  expect(await actions(events, { image: ['busybox'] })).toHaveLength(3);
  expect(await actions(events, { label: ['tier=front'] })).toHaveLength(3);
  expect(await actions(events, { label: ['tier=back'] })).toHaveLength(0);
});

test('a filter that does not exist is ignored, and the beginning of a name is enough, as in Docker', async () => {
  const events = new Events();
  container(events, 'start', 'web');
  expect(await actions(events, { nope: ['x'], container: ['we'] })).toEqual(['start']);
  expect(await actions(events, { container: ['eb'] })).toEqual([]);
});

test('closing ends all listeners', async () => {
  const events = new Events();
  const messages = events.subscribe({});
  setTimeout(() => events.close(), 5);
  for await (const _ of messages) throw new Error('no event was sent');
  expect(events.listeners).toBe(0);
});
