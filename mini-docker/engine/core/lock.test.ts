import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Lock } from './lock.ts';

test('only one holds a lock, in the order of requests, even after an error', async () => {
  const lock = new Lock();
  const seen: string[] = [];
  const work = async (name: string, fails: boolean) => {
    using _held = await lock.acquire();
    seen.push(`${name} in`);
    await sleep(2);
    seen.push(`${name} out`);
    if (fails) throw new Error(name);
  };
  await Promise.allSettled([work('a', false), work('b', true), work('c', false)]);
  expect(seen).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
});

test('a holder learns that another caller waits, even one that began to wait before it had the lock', async () => {
  const lock = new Lock();
  using first = await lock.acquire();
  let isWanted = false;
  void first.wanted.then(() => {
    isWanted = true;
  });
  await sleep(2);
  expect(isWanted).toBe(false);
  const second = lock.acquire();
  const third = lock.acquire();
  await first.wanted;
  first[Symbol.dispose]();
  using next = await second;
  await next.wanted;
  next[Symbol.dispose]();
  (await third)[Symbol.dispose]();
});
