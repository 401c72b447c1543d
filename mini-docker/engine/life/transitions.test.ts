import { expect, test } from 'vitest';
import type { ContainerStatus } from '../../formats/engine-api/containers.ts';
import { type Held, LiveContainer } from '../state/live-container.ts';
import { CREATED } from '../state/record.ts';
import { testRecord } from '../testing/record.ts';
import * as transitions from './transitions.ts';

const exit = { code: 0, oomKilled: false, at: new Date() };

/** Each transition, and from where it may be made. */
const FROM: [name: string, make: (held: Held) => unknown, from: ContainerStatus[]][] = [
  ['pause', held => transitions.paused(held), ['running', 'paused']],
  ['resume', held => transitions.resumed(held), ['created', 'running', 'paused', 'restarting', 'exited']],
  ['exit', held => transitions.exited(held, exit), ['running', 'paused', 'restarting', 'exited', 'removing']],
  ['wait for a restart', held => transitions.awaitRestart(held), ['exited', 'restarting']],
  ['remove', held => transitions.removing(held), ['created', 'exited', 'removing', 'restarting', 'dead']],
];

const ALL = Object.keys(transitions.NEXT) as ContainerStatus[];

function container(status: ContainerStatus): LiveContainer {
  return new LiveContainer({ ...testRecord(), state: { ...CREATED, status } });
}

test.each(FROM)('a container can %s only from where that makes sense', async (_, make, from) => {
  const possible: ContainerStatus[] = [];
  for (const status of ALL) {
    const live = container(status);
    using held = await live.hold();
    try {
      make(held);
      possible.push(status);
    } catch (error) {
      expect((error as Error).message).toContain(`container web is ${status}`);
      expect(live.record.state.status).toBe(status);
    }
  }
  expect(possible.sort()).toEqual(from.sort());
});

test('a holder that has released the lock cannot change anything any more', async () => {
  const live = container('running');
  const held = await live.hold();
  held[Symbol.dispose]();

  expect(() => transitions.paused(held)).toThrow('the lock of container web has already been released');
  expect(live.record.state.status).toBe('running');
});

test('a removal that the disk refuses leaves the container as it was', async () => {
  const live = container('exited');
  using held = await live.hold();
  const undo = transitions.removing(held);
  expect([live.record.state.status, live.removing]).toEqual(['removing', true]);
  undo();

  expect([live.record.state.status, live.removing]).toEqual(['exited', false]);
});
