// What the tests of Docker and of docker-py look at, each answer as dockerd gives it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTarReader } from '../mini-docker/formats/tar/reader.ts';
import { tarOf } from '../mini-docker/images/testing/archives.ts';
import { buildOf, dockers, hasDocker, newContext, ours } from './support/building.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually, unframed } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
}, 60_000);
afterAll(() => daemon.stop());

/** Sends bytes; returns the status and the answer's text, or the message in it. */
function send(
  method: string,
  path: string,
  { body, type }: { body: string | Buffer; type: string },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
    const asked = request({ socketPath: daemon.socket, method, path, headers, agent: false });
    asked.on('response', async reply => {
      const text = Buffer.concat(await reply.toArray()).toString();
      const message = reply.statusCode! >= 400 ? JSON.parse(text).message : text;
      resolve({ status: reply.statusCode!, text: message });
    });
    asked.on('error', reject).end(body);
  });
}

const postJson = (path: string, body: object) =>
  send('POST', path, { body: JSON.stringify(body), type: 'application/json' });
const putTar = (path: string, ...entries: Parameters<typeof tarOf>) =>
  send('PUT', path, { body: tarOf(...entries), type: 'application/x-tar' });
async function answer(method: string, path: string): Promise<[number, string]> {
  const { status, text } = await send(method, path, { body: '', type: '' });
  return [status, text];
}
const remove = (name: string) => engine.ask('DELETE', `/containers/${name}?force=1&v=1`);

test.for<[body: object, message: string, version?: string]>([
  [
    { Image: 'busybox', HostConfig: { NetworkMode: 'container' } },
    'invalid container format container:<name|id>',
  ],
  [
    { Image: 'busybox', HostConfig: { NetworkMode: 'container:' } },
    'invalid container format container:<name|id>',
  ],
  [
    { Image: 'busybox', MacAddress: '92:d0:c6:0a:29:33', HostConfig: { NetworkMode: 'host' } },
    'conflicting options: mac-address and the network mode',
  ],
  [{ Image: 'busybox', HostConfig: { Annotations: { '': 'x' } } }, 'the empty string is not permitted'],
  [{ Image: '' }, 'no command specified'],
  [{ Image: 'busybox', HostConfig: { VolumesFrom: ['a:b:c'] } }, 'invalid mode: b:c'],
  [
    { Image: 'busybox', HostConfig: { Binds: ['v1:/x:shared'] } },
    'invalid volume specification: \'v1:/x:shared\': invalid mount config for type "volume"',
  ],
  [
    { Image: 'busybox', NetworkingConfig: { EndpointsConfig: { a: {}, b: {} } } },
    'Container cannot be created with multiple network endpoints',
    '/v1.43',
  ],
])('create refuses %j', async ([body, message, version = '']) => {
  const answer = await postJson(`${version}/containers/create`, body);
  expect(answer.status).toBe(400);
  expect(answer.text).toContain(message);
});

test('clients before 1.40 get an IPC namespace that others can join', async () => {
  for (const [version, mode] of [
    ['/v1.39', 'shareable'],
    ['/v1.40', 'private'],
  ] as const) {
    const { text } = await postJson(`${version}/containers/create`, { Image: 'busybox', Cmd: ['true'] });
    const id: string = JSON.parse(text).Id;
    expect(
      (await engine.json<{ HostConfig: object }>('GET', `/containers/${id}/json`)).HostConfig,
    ).toMatchObject({
      IpcMode: mode,
    });
    await remove(id);
  }
});

test('a slash alone is no name', async () => {
  const { status, text } = await postJson('/containers/create?name=%2F', { Image: 'busybox', Cmd: ['true'] });
  expect([status, text]).toEqual([400, expect.stringContaining('Invalid container name (/)')]);
});

test('a user id out of range, and a container that shares its own network, are refused at the start', async () => {
  const start = async (name: string) => send('POST', `/containers/${name}/start`, { body: '', type: '' });
  for (const user of ['-1', '2147483648', '1:-1', '1:99999999999']) {
    await engine.create(['true'], { name: 'ranged', User: user });
    expect((await start('ranged')).text).toBe('uids and gids must be in range 0-2147483647');
    await remove('ranged');
  }
  await engine.create(['true'], { name: 'me', HostConfig: { NetworkMode: 'container:me' } });
  expect((await start('me')).text).toBe('cannot join own network namespace');
  await remove('me');
});

test.for<[bind: string, message: string]>([
  ['/etc/passwd:/tmp', 'Are you trying to mount a directory onto a file (or vice-versa)?'],
  ['/tmp:/etc/passwd', 'Are you trying to mount a directory onto a file (or vice-versa)?'],
  ['/tmp:/proc', 'because it is not of type proc'],
  ['/tmp:/proc/1', 'because it is inside /proc'],
])('a start with -v %s says what cannot be mounted', async ([bind, message]) => {
  const id = await engine.create(['true'], { HostConfig: { Binds: [bind] } });
  const { status, text } = await send('POST', `/containers/${id}/start`, { body: '', type: '' });
  const [source, destination] = bind.split(':');
  expect([status, text]).toEqual([400, expect.stringContaining(message)]);
  expect(text).toContain(`error mounting "${source}" to rootfs at "${destination}": `);
  await remove(id);
});

test('a volume on /sys is all that is there: no mount of Docker’s lies in it', async () => {
  const id = await engine.run(['cat', '/proc/mounts'], { HostConfig: { Binds: ['sysvolume:/sys'] } });
  await engine.wait(id);
  const places = (await engine.logs(id)).split('\n').map(line => line.split(' ')[1]);
  expect(places.filter(place => place?.startsWith('/sys'))).toEqual(['/sys']);
  await remove(id);
  await engine.ask('DELETE', '/volumes/sysvolume');
});

test('a directory on /dev stays as it is, and may be read-only', async () => {
  const directory = mkdtempSync('/tmp/mini-docker-dev-');
  writeFileSync(`${directory}/own`, '');
  for (const mode of ['ro', 'rw']) {
    const id = await engine.run(['ls', '/dev'], {
      HostConfig: {
        Binds: [`${directory}:/dev:${mode}`],
        Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/given' }],
      },
    });
    await engine.wait(id);
    expect(await engine.logs(id)).toBe('own\n');
    await remove(id);
  }
  rmSync(directory, { recursive: true });
});

test('ps shows --init as docker-init, and a kill of nothing says that it was a kill', async () => {
  const id = await engine.run(['sleep', '4711'], { HostConfig: { Init: true } });
  const { Pid } = (await engine.inspect(id)).State;
  // The init names itself as its first act.
  await expect.poll(() => readFileSync(`/proc/${Pid}/comm`, 'utf8')).toBe('docker-init\n');
  await remove(id);
  const post = (path: string) => answer('POST', `/containers/${path}`);
  expect(await post('nope/kill')).toEqual([404, 'Cannot kill container: nope: No such container: nope']);
  await engine.create(['true'], { name: 'idle' });
  expect(await post('idle/kill')).toEqual([
    409,
    expect.stringMatching(/^Cannot kill container: idle: container \w{64} is/),
  ]);
  expect(await post('idle/kill?signal=FOO')).toEqual([400, 'invalid signal: FOO']);
  expect(await post('idle/rename?name=a%20b')).toEqual([
    400,
    expect.stringMatching(/^Error when allocating new name: Invalid container name \(a b\)/),
  ]);
  await remove('idle');
});

test('a start says which setting or program is not there, and an attach to nothing says so in plain text', async () => {
  const start = async (cmd: string[], more: { HostConfig?: object }) => {
    const id = await engine.create(cmd, more);
    const [, message] = await answer('POST', `/containers/${id}/start`);
    await remove(id);
    return message;
  };
  expect(await start([''], {})).toContain('exec: "": executable file not found in $PATH');
  const HostConfig = { NetworkMode: 'bridge', Sysctls: { 'net.ipv4.nope': '1' } };
  expect(await start(['true'], { HostConfig })).toContain(
    ': open /proc/sys/net/ipv4/nope: no such file or directory',
  );
  const { status, body } = await engine.ask('POST', '/containers/nope/attach?stream=1');
  expect([status, body.toString()]).toEqual([404, 'No such container: nope\r\n']);
});

test('bodies that are not JSON are told so before anything else is looked at', async () => {
  const commit = (body: string, type = 'application/json') => send('POST', '/commit', { body, type });
  expect((await commit('{}', 'text/plain')).text).toBe(
    "unsupported Content-Type header (text/plain): must be 'application/json'",
  );
  expect((await commit('{} x')).text).toBe('unexpected content after JSON');
  expect((await commit('{x}')).text).toContain('invalid JSON: ');
});

test('an exec with a terminal is framed for a client that did not say so, as it is for dockerd’s clients', async () => {
  const id = await engine.run(['sleep', '1000'], { name: 'host' });
  const exec = async () => {
    const body = { AttachStdout: true, Tty: true, Cmd: ['echo', 'hello'] };
    return (await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body)).Id;
  };
  const output = async (body: object) =>
    Buffer.concat(await (await engine.hijack(`/exec/${await exec()}/start`, body)).toArray());
  expect(unframed(await output({}))).toBe('hello\r\n');
  expect((await output({ Tty: true })).toString()).toBe('hello\r\n');

  const size = await send('POST', `/exec/${await exec()}/resize?h=x&w=1`, { body: '', type: '' });
  expect(size).toEqual({ status: 400, text: 'invalid resize height "x": invalid syntax' });
  await engine.json('POST', '/containers/host/pause');
  expect((await postJson('/containers/host/exec', { Cmd: ['true'] })).text).toBe(
    'Container host is paused, unpause the container before exec',
  );
  await remove('host');
});

test('cp -a gives files to the user of the container, stopped or running', async () => {
  const owners = async (User: string) => {
    await engine.create(['sh', '-c', 'stat -c %u:%g /tmp/f; sleep 1000'], { name: 'owned', User });
    const path = '/containers/owned/archive?path=/tmp&copyUIDGID=1';
    expect((await putTar(path, { path: 'f', content: 'x', uid: 5, gid: 5 })).status).toBe(200);
    await engine.json('POST', '/containers/owned/start');
    await putTar(path, { path: 'g', content: 'x', uid: 5, gid: 5 });
    const body = { AttachStdout: true, User: '0', Cmd: ['stat', '-c', '%u:%g', '/tmp/f', '/tmp/g'] };
    const { Id } = await engine.json<{ Id: string }>('POST', '/containers/owned/exec', body);
    const socket = await engine.hijack(`/exec/${Id}/start`);
    const found = unframed(Buffer.concat(await socket.toArray()));
    await remove('owned');
    return found.trim().split('\n');
  };
  expect(await owners('1234')).toEqual(['1234:0', '1234:0']);
  expect(await owners('1234:99')).toEqual(['1234:99', '1234:99']);
  expect(await owners('')).toEqual(['5:5', '5:5']);
});

test('cp names the container as it was asked for, tells a file from nothing, and packs `/./` as `.`', async () => {
  const id = await engine.create(['true'], { name: 'pack' });
  const get = async (path: string) => {
    const { status, body } = await engine.ask('GET', `/containers/${id}/archive?path=${path}`);
    if (status >= 400) return [`${status} ${JSON.parse(body.toString()).message}`];
    const names: string[] = [];
    const reader = createTarReader({ entry: each => names.push(each.path), data() {}, end() {} });
    reader.write(body);
    reader.finish();
    return names;
  };
  expect(await get('/dne')).toEqual([`404 Could not find the file /dne in container ${id}`]);
  expect(await get('/etc/passwd/')).toEqual(['400 /etc/passwd/: not a directory']);
  expect(await get('/etc/./')).toContain('./passwd');
  await remove('pack');
});

test('cp to and from a stopped container follows links through its volumes, as its programs do', async () => {
  const script =
    'mkdir -p /vol/d /plain; echo in the volume >/vol/d/f; ln -s /vol/d /tolink; ln -s /plain /vol/out; ln -s /vol/d /vol/self';
  const volumes = { HostConfig: { Binds: ['linked:/vol'] } };
  const id = await engine.run(['sh', '-c', script], { name: 'linked', ...volumes });
  await engine.wait(id);
  const get = async (path: string) => {
    const { status, body } = await engine.ask('GET', `/containers/linked/archive?path=${path}`);
    return status === 200 ? body.toString('latin1') : `${status}`;
  };
  for (const path of ['/tolink/f', '/vol/self/f', '/tolink/.', '/vol/out/../d/f'])
    expect(await get(path), path).toContain('in the volume');
  expect(await get('/tolink/none')).toBe('404');
  for (const path of ['/tolink', '/vol/self', '/vol/out'])
    expect(
      (await putTar(`/containers/linked/archive?path=${path}`, { path: 'new', content: 'x' })).status,
    ).toBe(200);
  await remove('linked');
  const look = await engine.run(['sh', '-c', 'ls /vol /vol/d'], volumes);
  await engine.wait(look);
  expect(await engine.logs(look)).toBe('/vol:\nd\nout\nself\n\n/vol/d:\nf\nnew\n');
  await remove(look);

  const readonly = { HostConfig: { Binds: ['linked:/vol'], ReadonlyRootfs: true } };
  await engine.create(['true'], { name: 'readonly', ...readonly });
  const out = await putTar('/containers/readonly/archive?path=/vol/out', { path: 'new', content: 'x' });
  expect(out.text).toBe('container rootfs is marked read-only');
  expect(
    (await putTar('/containers/readonly/archive?path=/vol/self', { path: 'n', content: 'x' })).status,
  ).toBe(200);
  await remove('readonly');
  await engine.json('DELETE', '/volumes/linked');
});

test('cp from a stopped container finds the files of /etc that its start had made', async () => {
  const id = await engine.run(['cat', '/etc/hosts'], { HostConfig: { ExtraHosts: ['far:192.0.2.7'] } });
  await engine.wait(id);
  const hosts = await engine.logs(id);
  const copy = async (path: string) => {
    const { body } = await engine.ask('GET', `/containers/${id}/archive?path=${path}`);
    const found: Record<string, string> = {};
    let name = '';
    const reader = createTarReader({
      entry: each => {
        name = each.path;
      },
      data: bytes => {
        found[name] = `${found[name] ?? ''}${bytes}`;
      },
      end() {},
    });
    reader.write(body);
    reader.finish();
    return found;
  };
  expect(hosts).toContain('192.0.2.7\tfar');
  expect(await copy('/etc/hosts')).toEqual({ hosts });
  expect(await copy('/etc')).toMatchObject({ 'etc/hosts': hosts, 'etc/hostname': `${id.slice(0, 12)}\n` });
  await remove(id);
});

test('save keeps the parents that it saves too, and load tells of a name that moves', async () => {
  using context = newContext({ Dockerfile: 'FROM busybox\nLABEL child=1\n' });
  await ours(daemon, ['tag', 'busybox', 'parent:1']);
  const id = await engine.create(['true'], { name: 'based', Image: 'parent:1' });
  await engine.json('POST', `/commit?container=${id}&repo=child&tag=1`, {});
  await remove('based');
  const idOf = async (name: string) =>
    engine.json<{ Id: string; Parent: string }>('GET', `/images/${name}/json`);
  const [child, parent] = [await idOf('child:1'), await idOf('parent:1')];
  expect(child.Parent).toBe(parent.Id);
  const { body: archive } = await engine.ask('GET', '/images/get?names=child:1&names=parent:1');
  await engine.json('DELETE', '/images/child:1');
  await buildOf(daemon, { Dockerfile: 'FROM busybox\nLABEL other=1\n' }, 't=child:1');
  const other = await idOf('child:1');
  const { text } = await send('POST', '/images/load', { body: archive, type: 'application/x-tar' });
  expect(text).toContain(
    `The image child:1 already exists, renaming the old one with ID ${other.Id} to empty string`,
  );
  expect((await idOf('child:1')).Parent).toBe(parent.Id);
  for (const name of ['child:1', 'parent:1', other.Id])
    await engine.json('DELETE', `/images/${name}?force=1`);
  expect(context.path).toBeDefined();
});

test('an image may leave out what it is for, and a tag named sha256 is refused', async () => {
  const config = JSON.stringify({ rootfs: { type: 'layers', diff_ids: [] } });
  const manifest = JSON.stringify([{ Config: 'c.json', RepoTags: ['bare:1'], Layers: [] }]);
  const archive = tarOf({ path: 'c.json', content: config }, { path: 'manifest.json', content: manifest });
  await send('POST', '/images/load', { body: archive, type: 'application/x-tar' });
  expect(await engine.json('GET', '/images/bare:1/json')).toMatchObject({ Os: 'linux', Architecture: '' });
  const tagged = await send('POST', '/images/bare:1/tag?repo=sha256&tag=x', { body: '', type: '' });
  expect(tagged.text).toContain('refusing to create an ambiguous tag using digest algorithm as name');
  await engine.json('DELETE', '/images/bare:1');
  const { text } = await send('POST', '/images/create?fromSrc=-&platform=macos', {
    body: tarOf({ path: 'f', content: 'x' }),
    type: 'application/x-tar',
  });
  expect(text).toContain('"macos": unknown operating system or architecture');
});

test('RUN [] runs the command of the image, a stage is not its own source, and a cut tar is an error', async () => {
  const built = (Dockerfile: string, more = {}) => buildOf(daemon, { Dockerfile, ...more });
  expect((await built('FROM busybox\nCMD echo from the command\nRUN []\n')).text).toContain(
    'from the command\n',
  );
  expect((await built('FROM busybox\nENTRYPOINT ["echo", "entry"]\nCMD x\nRUN []\n')).text).toContain(
    'entry\n',
  );
  const copy = (from: string) => built(`FROM busybox\nCOPY --from=${from} f g\n`);
  expect((await copy('0')).error).toBe('invalid from flag value 0: refers to current build stage');
  expect((await copy('7')).error).toBe('invalid from flag value 7: index out of bounds');
  expect((await copy('UPPER')).error).toContain('invalid from flag value UPPER: invalid reference format');
  const tar = tarOf({ path: 'f', content: 'hi' });
  const add = (bytes: Buffer) => built('FROM busybox\nADD f.tar /x/\n', { 'f.tar': bytes });
  expect((await add(tar.subarray(0, tar.length - 1))).error).toContain('the tar archive ends in the middle');
  expect((await add(tar.subarray(0, tar.length - 512))).error).toBeUndefined();
});

test('a link of run is a name on that network alone, and load leaves the time of a tag that stays', async () => {
  for (const Name of ['one', 'two']) await postJson('/networks/create', { Name });
  const first = await engine.run(['sleep', '4711'], {
    name: 'first',
    Hostname: 'first-host',
    HostConfig: { NetworkMode: 'one' },
  });
  const second = await engine.run(['sleep', '4711'], {
    HostConfig: { NetworkMode: 'one', Links: ['first:alias'] },
  });
  for (const Container of [first, second]) await postJson('/networks/two/connect', { Container });
  const lookUp = async (name: string) => {
    const asked = { Cmd: ['nslookup', '-type=a', name], AttachStdout: true };
    const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${second}/exec`, asked);
    await engine.ask('POST', `/exec/${Id}/start`, {});
    return (await engine.json<{ ExitCode: number }>('GET', `/exec/${Id}/json`)).ExitCode;
  };
  // Its own hostname, too, which only the name server knows after its programs have changed /etc/hosts.
  expect([await lookUp('alias'), await lookUp('first-host')]).toEqual([0, 0]);
  await postJson('/networks/one/disconnect', { Container: first });
  expect([await lookUp('first'), await lookUp('alias')]).toEqual([0, 1]);
  await Promise.all([remove(first), remove(second)]);
  for (const name of ['one', 'two']) await engine.ask('DELETE', `/networks/${name}`);

  const time = async () => {
    const image = await engine.json<{ Metadata: { LastTagTime: string } }>('GET', '/images/busybox/json');
    return image.Metadata.LastTagTime;
  };
  const before = await time();
  const { body } = await engine.ask('GET', '/images/busybox/get');
  await send('POST', '/images/load', { body, type: 'application/x-tar' });
  expect(await time()).toBe(before);
});

test('a build in the network of a container has its /etc/hosts, and ONBUILD may store what it does not know', async () => {
  const id = await engine.run(['sleep', '4711'], {
    HostConfig: { ExtraHosts: ['far:192.0.2.7'], NetworkMode: 'bridge' },
  });
  const Dockerfile = `FROM busybox
RUN cat /etc/hosts
ONBUILD /usr/local/bin/python-build --dir /app/src
`;
  const { text } = await buildOf(daemon, { Dockerfile }, `networkmode=container:${id}`);
  expect(text).toContain('192.0.2.7\tfar');
  expect(text).toContain('Successfully built');
  await remove(id);
});

test('a quiet build tells what happened when it fails', async () => {
  using context = newContext({ Dockerfile: 'FROM busybox\nRUN echo the reason; false\n' });
  const failed = await ours(daemon, ['build', '-q', context.path]);
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toMatch(/Step 2\/2 : RUN echo the reason; false\n.*\nthe reason\n/);
  context.write({ Dockerfile: 'FROM busybox\nRUN echo the reason\n' });
  expect(await ours(daemon, ['build', '-q', context.path])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/),
    stderr: '',
  });
});

test('a health check that takes too long says so in the words of Docker', async () => {
  const second = 1_000_000_000;
  const Healthcheck = { Test: ['CMD', 'sleep', '100'], Interval: second / 10, Timeout: second / 2 };
  await engine.run(['sleep', '1000'], { name: 'slow', Healthcheck });
  const log = async () =>
    (await engine.json<{ State: { Health: { Log: { Output: string }[] } } }>('GET', '/containers/slow/json'))
      .State.Health.Log;
  const [first] = await eventually(log, found => found.length > 0);
  expect(first!.Output).toBe('Health check exceeded timeout (500ms)');
  await remove('slow');
});

test.skipIf(!hasDocker)(
  'inspect --format prints the structs of a container as the docker command does',
  async () => {
    const HostConfig = {
      PortBindings: { '80/tcp': [{ HostPort: '8080' }] },
      Binds: ['/tmp:/x:ro'],
      Memory: 2 ** 26,
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'r' }],
      Tmpfs: { '/t': 'size=1m' },
      Sysctls: { 'net.ipv4.ip_forward': '1' },
    };
    await engine.create(['true'], { name: 'shown', HostConfig });
    for (const part of ['HostConfig', 'Config', 'State', 'Mounts', 'HostConfig.LogConfig']) {
      const args = ['inspect', '-f', `{{.${part}}}`, 'shown'];
      const theirs = (await dockers(daemon, args)).stdout.split(' ');
      const words = (await ours(daemon, args)).stdout.split(' ');
      // Go prints the address of what it keeps by a pointer.
      expect(words).toEqual(theirs.map((word, at) => (word.startsWith('0xc') ? words[at] : word)));
    }
    await remove('shown');
  },
);
