// GET /mini-docker/view: what it says of a container, compared with the kernel. Also run under cgroup v2, in a virtual machine.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { View } from '../mini-docker/formats/view.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterAll(() => daemon?.stop());

/** The first look that is as wanted. */
async function look(query: string, isWanted: (view: View) => boolean = () => true): Promise<View> {
  const answer = await engine.open('GET', `/mini-docker/view?interval=200${query}`);
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0) continue;
    const view = JSON.parse(text.slice(0, end)) as View;
    text = text.slice(end + 1);
    if (isWanted(view)) return view;
  }
  throw new Error('the looks ended');
}

test('a look has what the kernel says of the chosen container', async () => {
  const id = await engine.run(['sh', '-c', 'echo hello; sleep 1000 & nc -l -p 81'], {
    name: 'deep',
    HostConfig: { Memory: 64 << 20, NanoCpus: 500_000_000, PidsLimit: 20 },
  });
  const other = await engine.run(['sleep', '1000'], {
    name: 'beside',
    HostConfig: { NetworkMode: `container:${id}` },
  });
  const { chosen, boxes, host } = await look(
    '&container=deep',
    ({ chosen }) => chosen?.networks[0]?.listening.length === 1 && chosen.log?.length === 1,
  );
  const { Pid: pid } = (await engine.inspect(id)).State;
  const inode = (type: string) =>
    Number(/\d+/.exec(execFileSync('readlink', [`/proc/${pid}/ns/${type}`]).toString())?.[0]);
  expect(boxes.map(each => each.name).sort()).toEqual(['beside', 'deep']);
  expect(chosen).toMatchObject({
    id,
    pid,
    more: 0,
    log: ['hello'],
    networks: [{ listening: [{ protocol: 'tcp', port: 81 }] }],
    rights: { uid: 0, seccomp: 'filter' },
  });
  // The shell has become its last command.
  expect(chosen!.processes.map(({ command }) => command)).toEqual(['nc -l -p 81', 'sleep 1000']);
  expect(chosen!.processes[0]).toMatchObject({ pid, inside: 1 });
  for (const { type, inode: found } of chosen!.namespaces) expect(found, type).toBe(inode(type));
  const whose = Object.fromEntries(chosen!.namespaces.map(each => [each.type, each]));
  expect(whose.net!.others).toEqual(['beside']);
  expect(whose.uts!.hostname).toBe(id.slice(0, 12));
  expect(whose.pid!.others).toEqual([]);
  expect(whose.user!.inode).toBe(whose.user!.hosts);
  const mounted = chosen!.mounts[0]!.mounts.find(({ point }) => point === '/');
  expect(mounted).toMatchObject({ type: 'overlay', readonly: false });
  expect(mounted!.layers!.length).toBeGreaterThan(1);
  const [group] = chosen!.groups;
  expect(group).toMatchObject({
    cpu: { limit: 0.5 },
    memory: { limit: 64 << 20 },
    tasks: { limit: 20, used: 2 },
  });
  expect(group!.memory.used).toBeGreaterThan(0);
  expect(host.rights.capabilities.length).toBeGreaterThan(chosen!.rights.capabilities.length);
  expect(other).not.toBe(id);
});

test('an unknown container is an error, and a stopped one has nothing in depth', async () => {
  expect(await engine.ask('GET', '/mini-docker/view?container=nobody')).toMatchObject({ status: 404 });
  const id = await engine.create(['true'], { name: 'still' });
  const view = await look('&container=still');
  expect(view).toMatchObject({ wanted: id });
  expect(view.boxes.find(each => each.id === id)).toMatchObject({ name: 'still', status: 'created' });
  expect(view.chosen).toBeUndefined();
});
