import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { becomes, type MemoryEngine, memoryEngine } from '../testing/memory-engine.ts';
import { pauseContainer } from './pause.ts';
import { recover } from './recovery.ts';
import { stopContainer } from './stop.ts';

/** The daemon was killed, and the next one has come up. */
async function afterwards(engine: MemoryEngine) {
  const next = engine.next();
  await recover(next.context);
  return { ...next, find: (name: string) => next.context.containers.get(name) };
}

test('what runs is taken over, and its end is seen', async () => {
  const engine = memoryEngine();
  const before = await engine.start();
  engine.context.records.flush();
  const { find, runtime } = await afterwards(engine);
  const live = find('web');
  expect(live.record.state).toEqual(before.record.state);
  expect(live.run?.container).toBe(runtime.latest);
  runtime.latest.end(5);
  await becomes(live, 'exited');

  expect(live.record.state.exitCode).toBe(5);
});

test('a start that the record does not know of yet is found', async () => {
  const engine = memoryEngine();
  const { startedAt } = (await engine.start()).record.state;
  const { find } = await afterwards(engine);

  expect(find('web').record.state).toMatchObject({ status: 'running', startedAt });
});

test('what was paused is still paused', async () => {
  const engine = memoryEngine();
  await pauseContainer(engine.context, await engine.start());
  const { find } = await afterwards(engine);

  expect(find('web').record.state.status).toBe('paused');
});

test('what a commit had frozen when its daemon was killed goes on', async () => {
  const engine = memoryEngine();
  await engine.start();
  engine.runtime.latest.frozen = true;
  await afterwards(engine);

  expect(engine.runtime.latest.frozen).toBe(false);
});

test('the exit code of a vanished container is unknown', async () => {
  const engine = memoryEngine();
  const { startedAt } = (await engine.start()).record.state;
  engine.runtime.containers.length = 0;
  const { find, runtime } = await afterwards(engine);

  expect(find('web').record.state).toMatchObject({
    status: 'exited',
    startedAt,
    exitCode: 255,
    exitUnknown: true,
  });
  expect(runtime.discarded).toHaveLength(1);
});

test('what never ran its program has not been started', async () => {
  const engine = memoryEngine();
  const { id } = await engine.start();
  const { run } = engine.context.paths.container(id);
  rmSync(join(run, 'started.json'));
  engine.runtime.latest.end(125);
  const { find, runtime } = await afterwards(engine);

  expect(find('web').record.state.status).toBe('created');
  expect(runtime.latest.deleted).toBe(true);
  expect(existsSync(run)).toBe(false);
});

test.each([
  ['always', true],
  ['unless-stopped', false],
] as const)('%s starts what the user had stopped: %s', async (Name, starts) => {
  const engine = memoryEngine();
  const before = await engine.start({ host: { RestartPolicy: { Name, MaximumRetryCount: 0 } } });
  await stopContainer(engine.context, before, {});
  using _givenBack = await before.hold();
  const { find } = await afterwards(engine);

  expect(find('web').record.state.status).toBe(starts ? 'running' : 'exited');
});

test('what cannot be started with the daemon is tried again', async () => {
  const engine = memoryEngine();
  await engine.start({ host: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } });
  engine.runtime.containers.length = 0;
  engine.runtime.failure = new Error('no memory just now');
  const { find, warnings } = await afterwards(engine);
  expect(find('web').record.state.status).toBe('restarting');
  expect(warnings).toEqual([expect.stringContaining('no memory just now')]);
  await becomes(find('web'), 'running');
});

test('--rm is kept for what ended meanwhile', async () => {
  const engine = memoryEngine();
  await engine.start({ host: { AutoRemove: true } });
  engine.runtime.containers.length = 0;
  const { context } = await afterwards(engine);

  expect(context.containers.size).toBe(0);
});

test('of two with one name the second gets another one, and why is said', async () => {
  const engine = memoryEngine();
  const ids = ['1'.repeat(64), '2'.repeat(64), '3'.repeat(64)];
  engine.add({ id: ids[0]!, name: 'same' });
  engine.add({ id: ids[1]!, name: 'same' });
  engine.add({ id: ids[2]!, name: '../evil' });
  const { context, warnings } = await afterwards(engine);

  expect([...context.containers].map(each => each.name).sort()).toEqual([
    'broken-333333333333',
    'same',
    expect.stringMatching(/^same-[12]{12}$/),
  ]);
  expect(warnings.join('\n')).toMatch(
    /container [12]{64} is called same-[12]{12} now: .*"\/same" is already in use/,
  );
  expect(warnings.join('\n')).toContain('broken-333333333333 (333333333333) has no record');
  for (const id of ids) expect(existsSync(context.paths.container(id).directory)).toBe(true);
});

test('a container whose spec cannot be read goes on, and nothing is executed in it', async () => {
  const engine = memoryEngine();
  const { id } = await engine.start();
  const spec = join(engine.context.paths.container(id).run, 'spec.json');
  rmSync(spec);
  mkdirSync(spec);

  const { find, warnings } = await afterwards(engine);
  expect(find('web').record.state.status).toBe('running');
  expect(warnings.join('\n')).toContain(`container web can only be stopped: ${spec} is no ordinary file`);
  expect(engine.runtime.discarded).toEqual([]);
  expect(engine.runtime.latest.signals).toEqual([]);
});

test('what a start has left that had not written its spec when the daemon was killed is discarded', async () => {
  const engine = memoryEngine();
  const ids = ['1'.repeat(64), '2'.repeat(64)];
  for (const [index, id] of ids.entries()) engine.add({ id, name: `web${index}` });
  const { run } = engine.context.paths.container(ids[0]!);
  mkdirSync(run, { recursive: true });
  const { find, context } = await afterwards(engine);

  expect(engine.runtime.discarded).toEqual([run]);
  expect(find('web0').record.state.status).toBe('created');
  expect(existsSync(run)).toBe(false);
  expect(existsSync(context.paths.container(ids[0]!).directory)).toBe(true);
});

test('directories of runs that are over go', async () => {
  const engine = memoryEngine();
  const stray = join(engine.context.paths.runDir, 'containers', 'f'.repeat(64));
  mkdirSync(stray, { recursive: true });
  writeFileSync(join(stray, 'state.json'), '{}');
  await afterwards(engine);

  expect(existsSync(stray)).toBe(false);
});
