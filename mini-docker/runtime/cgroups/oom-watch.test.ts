import { expect, test } from 'vitest';
import { watchOomV2 } from './oom-watch.ts';

test('where inotify is not to be had the counter is looked at all the same', async () => {
  let count = 0;
  let told = 0;
  const watch = watchOomV2(
    '/no/such/memory.events',
    () => count,
    () => told++,
  );
  count = 1;
  await expect.poll(() => told, { timeout: 5000 }).toBe(1);
  watch.stop();
});
