// Requests and containers that go for the host by way of what the daemon itself does as root: the groups that it makes, the
// files that it shares with a container, the rank that it has when memory runs out.
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';

/** --uidmap 0:100000:65536 */
const MAPPED = { UidMap: ['0:100000:65536'], GidMap: ['0:100000:65536'] };
let daemon: TestDaemon;
let engine: EngineClient;
beforeAll(async () => {
  daemon = await startDaemon({ args: ['--host', 'tcp://127.0.0.1:2375'] });
  engine = engineClient(daemon);
});
afterAll(() => daemon.stop());

test('--cgroup-parent makes and removes groups in the tree only, however many .. it has', async () => {
  const name = `mini-docker-attack-${process.pid}`;
  for (const parent of ['../'.repeat(9) + name, `/../x/${'../'.repeat(9)}${name}`]) {
    const id = await engine.run(['sleep', '600'], { HostConfig: { CgroupParent: parent } });
    const { State } = await engine.inspect(id);
    const groups = readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8');
    expect(groups).toContain(`/${name}/${id}\n`);
    expect(existsSync(`/${name}`)).toBe(false);
    await engine.json('DELETE', `/containers/${id}?force=1`);
  }
});

test('a parent group that was made for a container goes with it', async () => {
  const name = `a parent of ${process.pid}`;
  const id = await engine.run(['sleep', '600'], { HostConfig: { CgroupParent: `/${name}/below` } });
  const { State } = await engine.inspect(id);
  const [, path] = /:pids:(.*)\n/.exec(readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8')) ?? [];
  if (path !== undefined) expect(existsSync(`/sys/fs/cgroup/pids${path}`)).toBe(true);
  await engine.json('DELETE', `/containers/${id}?force=1`);
  await engine.json('POST', '/containers/prune');
  const left = () => globSync(`/sys/fs/cgroup/{*/,}${name}`);
  await expect.poll(left).toEqual([]);
});

test('with --read-only the files that we put into /etc are read-only, too, and else they are not', async () => {
  const script =
    'for f in hosts hostname resolv.conf; do echo "# mine" >> /etc/$f && echo written; done 2>&1; true';
  const lines = async (HostConfig: object) => {
    const id = await engine.run(['sh', '-c', script], { HostConfig });
    await engine.wait(id);
    return (await engine.logs(id)).trim().split('\n');
  };
  expect(await lines({})).toEqual(['written', 'written', 'written']);
  for (const more of [{}, { IDMappings: MAPPED }]) {
    const refused = await lines({ ReadonlyRootfs: true, ...more });
    expect(refused).toHaveLength(3);
    for (const line of refused) expect(line).toContain('Read-only file system');
  }
});

test('the daemon is killed late when memory runs out, and no container with it', async () => {
  const scoreOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
  const parentOf = (pid: number): number =>
    Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  const mayLower =
    (BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`) >> 24n) & 1n;
  expect(scoreOf(daemon.pid)).toBe(mayLower ? -500 : 0);
  // Where it cannot have a low one, another shows as well whether it is handed down.
  if (!mayLower) writeFileSync(`/proc/${daemon.pid}/oom_score_adj`, '200');
  const ours = scoreOf(daemon.pid);
  for (const more of [{}, { Init: true }, { IDMappings: MAPPED }, { OomScoreAdj: 300 }]) {
    const id = await engine.run(['sleep', '600'], { HostConfig: more });
    const { Pid } = (await engine.inspect(id)).State;
    const wanted = 'OomScoreAdj' in more ? 300 : 0;
    expect(scoreOf(Pid), JSON.stringify(more)).toBe(wanted);
    expect(scoreOf(parentOf(Pid))).toBe(ours);
    const exec = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, {
      Cmd: ['sleep', '601'],
    });
    await engine.ask('POST', `/exec/${exec.Id}/start`, { Detach: true });
    const inspected = await engine.json<{ Pid: number }>('GET', `/exec/${exec.Id}/json`);
    expect(scoreOf(inspected.Pid)).toBe(wanted);
    await engine.json('DELETE', `/containers/${id}?force=1`);
  }
});

/** The status of an answer to a request with these headers. */
function statusOf(
  [method, path]: [string, string],
  headers: Record<string, string>,
  body = '',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: daemon.socket, method, path, headers, agent: false };
    request(options, reply => void reply.resume().on('end', () => resolve(reply.statusCode!)))
      .on('error', reject)
      .end(body);
  });
}

/** The same over TCP, which is all that a browser speaks. */
function statusByTcp([method, path]: [string, string], type: string): string {
  const [header, url] = [`content-type: ${type}`, `http://127.0.0.1:2375${path}`];
  const curl = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '-X', method, '-H', header];
  const inside = ['-t', String(daemon.namespaces), '-n', ...curl, '--data-binary', '@-', url];
  return execFileSync('nsenter', inside, { encoding: 'utf8', input: Buffer.alloc(1024) });
}

test('a web page gets nothing done, neither by what browsers say of it nor by what it may send unasked', async () => {
  const id = await engine.create(['true']);
  const archive = Buffer.alloc(1024).toString('latin1');
  const routes: [string, string][] = [
    ['POST', '/build?t=page'],
    ['POST', '/images/load'],
    ['POST', '/images/create?fromSrc=-&repo=page'],
    ['POST', `/commit?container=${id}&repo=page`],
    ['POST', `/containers/${id}/start`],
    ['POST', `/containers/${id}/attach?stream=1`],
    ['POST', '/containers/prune'],
    ['PUT', `/containers/${id}/archive?path=/tmp`],
  ];
  for (const route of routes) {
    const name = route.join(' ');
    const tar = { 'content-type': 'application/x-tar' };
    expect(await statusOf(route, { ...tar, origin: 'http://evil.example' }, archive), name).toBe(403);
    expect(await statusOf(route, { ...tar, origin: 'null' }, archive), name).toBe(403);
    expect(await statusOf(route, { 'sec-fetch-site': 'cross-site' }), name).toBe(403);
    // docker says text/plain of the archives of `import` and `cp`. For the first the browser's own word counts;
    // the second is a PUT, which a browser sends to another site only after asking.
    if (name.includes('/images/create') || name.startsWith('PUT')) continue;
    for (const type of [
      'text/plain;charset=UTF-8',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ])
      expect(statusByTcp(route, type), `${name} ${type}`).toBe('400');
  }
  expect(await statusOf(['GET', '/containers/json'], { 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await statusOf(['GET', '/version'], { 'sec-fetch-site': 'none' })).toBe(200);
  expect((await engine.inspect(id)).State.Status).toBe('created');
  const images = await engine.json<{ RepoTags: string[] }[]>('GET', '/images/json');
  expect(images.flatMap(({ RepoTags }) => RepoTags).filter(tag => tag.startsWith('page'))).toEqual([]);
  await engine.json('DELETE', `/containers/${id}`);
});
