import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRNO } from '../../linux/errno.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { execve } from '../../linux/syscalls.ts';
import { memoryEngine } from '../testing/memory-engine.ts';
import { pauseContainer } from './pause.ts';
import { removeContainer } from './remove.ts';
import { startContainer } from './start-container.ts';

const missing = new SyscallError({
  doing: 'cannot start',
  failed: execve('sh', [], []),
  errno: ERRNO.ENOENT,
});

test('a start makes a process, and is seen in state and events', async () => {
  const { start, runtime, events } = memoryEngine();
  const live = await start();

  expect(live.record.state).toMatchObject({ status: 'running', pid: runtime.latest.pid, exitCode: 0 });
  expect(live.run?.container).toBe(runtime.latest);
  expect(await events()).toEqual(['start']);
});

test('a start waits until the creation is on the disk', async () => {
  const { context, add, runtime } = memoryEngine();
  const live = add();
  const disk = Promise.withResolvers<void>();
  live.onDisk = disk.promise;
  const started = startContainer(context, live);
  expect(await Promise.race([started, new Promise(setImmediate).then(() => 'waits')])).toBe('waits');
  expect(runtime.containers).toHaveLength(0);
  disk.resolve();
  await started;
  expect(runtime.containers).toHaveLength(1);
});

test('what runs is not started again, and what is paused not at all', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start();
  await expect(startContainer(context, live)).rejects.toMatchObject({ kind: 'notModified' });
  await pauseContainer(context, live);
  await expect(startContainer(context, live)).rejects.toMatchObject({ kind: 'conflict' });

  expect(runtime.containers).toHaveLength(1);
});

test('of two starts at once only one makes a process', async () => {
  const { context, add, runtime } = memoryEngine();
  const live = add();
  const both = await Promise.allSettled([startContainer(context, live), startContainer(context, live)]);

  expect(both.map(each => each.status)).toEqual(['fulfilled', 'rejected']);
  expect(runtime.containers).toHaveLength(1);
});

test('a start that fails leaves it as it was, says why, and leaves nothing', async () => {
  const { context, add, runtime } = memoryEngine();
  const live = add();
  runtime.failure = missing;
  await expect(startContainer(context, live)).rejects.toMatchObject({ exitCode: 127 });

  expect(live.record.state).toMatchObject({ status: 'created', exitCode: 127 });
  expect(live.record.state.error).toContain('executable file not found');
  expect(live.run).toBeUndefined();
  expect(runtime.latest.deleted).toBe(true);
  expect(existsSync(context.paths.container(live.id).run)).toBe(false);
});

test('a start that fails removes what is to be removed at its end', async () => {
  const { context, add, runtime } = memoryEngine();
  const live = add({ host: { AutoRemove: true } });
  runtime.failure = missing;
  await expect(startContainer(context, live)).rejects.toMatchObject({ exitCode: 127 });

  expect(live.removed).toBe(true);
  expect(context.containers.size).toBe(0);
});

test('a removal during the start finds the container running', async () => {
  const { context, add, runtime } = memoryEngine();
  const live = add();
  const made = Promise.withResolvers<void>();
  runtime.ready = made.promise;
  const starting = startContainer(context, live);
  const removing = removeContainer(context, live, {});
  made.resolve();
  await starting;

  await expect(removing).rejects.toThrow(/container is running: stop the container before removing/);
  expect(live.record.state.status).toBe('running');
});
