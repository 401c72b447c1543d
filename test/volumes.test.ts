// Volumes and mounts, from outside: what lies in the volumes' directories, what programs in containers see.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MountPoint } from '../mini-docker/formats/engine-api/containers.ts';
import type { VolumeList, VolumeResource } from '../mini-docker/formats/engine-api/volumes.ts';
import { openImageStore } from '../mini-docker/images/store.ts';
import { chunks, tarOf } from '../mini-docker/images/testing/archives.ts';
import { commandLines } from './support/command-lines.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;
let scratch: string;

/** An image with files where volumes go. */
async function makeImage(): Promise<void> {
  const images = await openImageStore({ root: join(daemon.dataRoot, 'images') });
  const layer = tarOf(
    { path: 'data', type: 'directory', mode: 0o2750, uid: 1234, gid: 4321, mtime: 1_000_000_000n },
    { path: 'data/file', content: 'from the image\n', uid: 7, gid: 8, mode: 0o4711 },
    { path: 'data/below', type: 'directory', mode: 0o700, uid: 9, gid: 9 },
    { path: 'data/below/link', type: 'symlink', linkname: '/etc/shadow' },
    { path: 'data/below/pipe', type: 'fifo', mode: 0o600 },
    { path: 'empty', type: 'directory', mode: 0o1777, uid: 5, gid: 6 },
    { path: 'way-out', type: 'symlink', linkname: `../../../../../..${scratch}/outside` },
    { path: `${scratch.slice(1)}/outside`, type: 'directory' },
    { path: 'nowhere', type: 'symlink', linkname: `${scratch}/not-in-the-image` },
  );
  const config = { Cmd: ['sh'], Env: ['PATH=/bin:/usr/bin:/sbin:/usr/sbin'], Volumes: { '/data': {} } };
  await images.create({
    base: await images.get('busybox'),
    layer: chunks(layer),
    config,
    created: '2026-01-01T00:00:00Z',
    createdBy: 'a test',
    references: ['with-volume'],
  });
}

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-volumes-'));
  daemon = await startDaemon();
  engine = engineClient(daemon);
  await daemon.end('SIGTERM');
  await makeImage();
  await daemon.begin();
});

afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
    await engine.json('DELETE', `/containers/${Id}?force=1`);
  for (const { Name } of await volumes()) await engine.json('DELETE', `/volumes/${Name}`);
  expect(readdirSync(join(daemon.dataRoot, 'volumes'))).toEqual([]);
});

afterAll(async () => {
  await daemon.stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function volumes(filters: object = {}): Promise<VolumeResource[]> {
  const query = `filters=${encodeURIComponent(JSON.stringify(filters))}`;
  return (await engine.json<VolumeList>('GET', `/volumes?${query}`)).Volumes;
}

const names = async (filters?: object) => (await volumes(filters)).map(each => each.Name);
const data = (volume: string) => join(daemon.dataRoot, 'volumes', volume, '_data');

/** The output of a shell script in a container that is removed afterwards. */
async function shell(script: string, host: object = {}, more: object = {}): Promise<string> {
  const id = await engine.run(['sh', '-c', `exec 2>&1; ${script}`], { HostConfig: host, ...more });
  await engine.wait(id);
  const said = await engine.logs(id);
  await engine.json('DELETE', `/containers/${id}?v=1`);
  return said;
}

const refusal = async (host: object, more: object = {}) => {
  const answer = await engine.ask('POST', '/containers/create', {
    Image: 'busybox',
    HostConfig: { NetworkMode: 'none', ...host },
    ...more,
  });
  return { status: answer.status, message: JSON.parse(answer.body.toString()).message as string };
};

const mountsOf = async (id: string) =>
  (await engine.json<{ Mounts: MountPoint[] }>('GET', `/containers/${id}/json`)).Mounts;

describe('named volumes', () => {
  test('a file that one container writes is read by the next', async () => {
    expect(await shell('echo kept > /v/file', { Binds: ['keep:/v'] })).toBe('');
    expect(await shell('cat /v/file', { Binds: ['keep:/v:ro'] })).toBe('kept\n');
    expect(readFileSync(join(data('keep'), 'file'), 'utf8')).toBe('kept\n');
    expect(await shell('echo > /v/file', { Binds: ['keep:/v:ro'] })).toContain('Read-only file system');
  });

  test("a new one starts with the image's files, with owners, modes and times", async () => {
    const listing = await shell(
      'cat /data/file; ls -lnR /data',
      { Binds: ['fresh:/data'] },
      { Image: 'with-volume' },
    );
    expect(listing).toContain('from the image\n');
    const of = (path: string) => {
      const { uid, gid, mode } = statSync(join(data('fresh'), path));
      return [uid, gid, (mode & 0o7777).toString(8)];
    };
    expect(of('.')).toEqual([1234, 4321, '2750']);
    expect(statSync(data('fresh')).mtimeMs).toBe(1000);
    expect(of('file')).toEqual([7, 8, '4711']);
    expect(of('below')).toEqual([9, 9, '700']);
    expect(statSync(join(data('fresh'), 'below/pipe')).isFIFO()).toBe(true);
    expect(listing).toContain('link -> /etc/shadow');
  });

  test('the mark of an empty directory of the image is copied, too', async () => {
    await shell('true', { Binds: ['marked:/empty'] }, { Image: 'with-volume' });
    const { uid, gid, mode } = statSync(data('marked'));
    expect([uid, gid, (mode & 0o7777).toString(8)]).toEqual([5, 6, '1777']);
  });

  test('one that has files keeps them, and nocopy keeps it empty', async () => {
    await shell('echo mine > /data/file', { Binds: ['mine:/data'] });
    expect(await shell('cat /data/file; ls /data', { Binds: ['mine:/data'] }, { Image: 'with-volume' })).toBe(
      'mine\nfile\n',
    );
    expect(await shell('ls /data', { Binds: ['bare:/data:nocopy'] }, { Image: 'with-volume' })).toBe('');
    const mount = { Type: 'volume', Source: 'bare', Target: '/data', VolumeOptions: { NoCopy: true } };
    expect(await shell('ls /data', { Mounts: [mount] }, { Image: 'with-volume' })).toBe('');
  });

  test('an empty one that a running container has gets the files in place', async () => {
    const id = await engine.run(['sleep', '1000'], { HostConfig: { Binds: ['shared:/v'] } });
    await shell('true', { Binds: ['shared:/data'] }, { Image: 'with-volume' });
    const { pid } = { pid: (await engine.inspect(id)).State.Pid };
    expect(readFileSync(`/proc/${pid}/root/v/file`, 'utf8')).toBe('from the image\n');
    expect(readdirSync(join(daemon.dataRoot, 'volumes/shared'))).toEqual([
      '_data',
      'volume.json',
      'volume.json.last',
    ]);
  });

  test('the host sees no mount of it', async () => {
    const id = await engine.run(['sleep', '1000'], {
      HostConfig: { Binds: ['unseen:/v'], Tmpfs: { '/t': '' } },
    });
    const { Pid } = (await engine.inspect(id)).State;
    expect(readFileSync(`/proc/${Pid}/mountinfo`, 'utf8')).toContain('volumes/unseen/_data /v ');
    for (const pid of [daemon.pid, daemon.namespaces, process.pid])
      expect(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')).not.toContain(daemon.dataRoot);
  });

  test('one in use is not removed, running or not; volumes that are not there cannot be', async () => {
    const id = await engine.create(['true'], { HostConfig: { Binds: ['used:/v'] } });
    const answer = await engine.ask('DELETE', '/volumes/used?force=1');
    expect(answer.status).toBe(409);
    expect(String(answer.body)).toContain(`remove used: volume is in use - [${id}]`);
    await engine.json('DELETE', `/containers/${id}?v=1`);
    expect(await names()).toEqual(['used']);
    expect((await engine.ask('DELETE', '/volumes/used')).status).toBe(204);
    expect(existsSync(join(daemon.dataRoot, 'volumes/used'))).toBe(false);
    expect((await engine.ask('DELETE', '/volumes/used')).status).toBe(404);
    expect((await engine.ask('DELETE', '/volumes/used?force=1')).status).toBe(204);
  });

  test('they are what they were after a daemon that was killed', async () => {
    const body = { Name: 'lasting', Labels: { a: 'b' } };
    const before = await engine.json('POST', '/volumes/create', body);
    await shell('echo 1 > /v/file', { Binds: ['lasting:/v'] });
    mkdirSync(join(daemon.dataRoot, 'volumes/.creating-half/_data'), { recursive: true });
    mkdirSync(join(daemon.dataRoot, 'volumes/lasting/.copying'));
    await daemon.end('SIGKILL');
    await daemon.begin();
    expect(await engine.json('GET', '/volumes/lasting')).toEqual(before);
    expect(await names()).toEqual(['lasting']);
    expect(await shell('cat /v/file', { Binds: ['lasting:/v'] })).toBe('1\n');
    expect(readdirSync(join(daemon.dataRoot, 'volumes'))).toEqual(['lasting']);
    expect(readdirSync(join(daemon.dataRoot, 'volumes/lasting'))).toEqual([
      '_data',
      'volume.json',
      'volume.json.last',
    ]);
  });

  test('many containers that ask for a new one at once get one, filled once', async () => {
    const asked = Array.from({ length: 8 }, () =>
      shell('find /data | wc -l', { Binds: ['rush:/data'] }, { Image: 'with-volume' }),
    );
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['5\n']));
    expect(await names()).toEqual(['rush']);
  });

  test('they bind a directory of the host when their options say so', async () => {
    const device = join(scratch, 'device');
    mkdirSync(device, { recursive: true });
    const DriverOpts = { type: 'none', o: 'bind', device };
    await engine.json('POST', '/volumes/create', { Name: 'bound', DriverOpts });
    await shell('echo there > /v/file', { Binds: ['bound:/v'] });
    expect(readFileSync(join(device, 'file'), 'utf8')).toBe('there\n');
    await engine.json('DELETE', '/volumes/bound');
    expect(existsSync(join(device, 'file'))).toBe(true);
    for (const [options, message] of [
      [{ o: 'bind,noexec', device: '/x' }, 'a bind mount has no option'],
      [{ o: 'bind', device: 'relative' }, 'relative device'],
      [{ size: '1' }, 'invalid option'],
    ] as const) {
      const { status, body } = await engine.ask('POST', '/volumes/create', { DriverOpts: options });
      expect([status, String(body)]).toEqual([400, expect.stringContaining(message)]);
    }
  });
});

describe('anonymous volumes', () => {
  test("an image's VOLUME gets one with the image's files; rm -v and --rm remove it, rm does not", async () => {
    const image = { Image: 'with-volume' };
    const id = await engine.create(['cat', '/data/file'], image);
    const [mount] = await mountsOf(id);
    expect(mount).toMatchObject({ Type: 'volume', Destination: '/data', Driver: 'local', RW: true });
    expect(await names()).toEqual([mount!.Name]);
    expect(readFileSync(join(mount!.Source, 'file'), 'utf8')).toBe('from the image\n');
    await engine.json('DELETE', `/containers/${id}`);
    expect(await names({ dangling: ['true'] })).toEqual([mount!.Name]);
    await engine.json('DELETE', `/volumes/${mount!.Name}`);

    await engine.json('DELETE', `/containers/${await engine.create(['true'], image)}?v=1`);
    expect(await names()).toEqual([]);
    const gone = await engine.run(['true'], { ...image, HostConfig: { AutoRemove: true } });
    await engine.ask('POST', `/containers/${gone}/wait?condition=removed`);
    expect(await names()).toEqual([]);
  });

  test('--volumes-from shares them, and rm -v keeps those that another container uses', async () => {
    const donor = await engine.run(['sh', '-c', 'echo given > /data/gift'], {
      name: 'donor',
      Image: 'with-volume',
      HostConfig: { Binds: [`${scratch}:/host:ro`] },
    });
    await engine.wait(donor);
    const taker = await engine.create(['cat', '/data/gift'], { HostConfig: { VolumesFrom: ['donor:ro'] } });
    const taken = (await mountsOf(taker)).map(each => [each.Destination, each.RW]);
    expect(Object.fromEntries(taken)).toEqual({ '/data': false, '/host': false });
    await engine.json('DELETE', `/containers/${donor}?v=1`);
    await engine.json('POST', `/containers/${taker}/start`);
    await engine.wait(taker);
    expect(await engine.logs(taker)).toBe('given\n');
    expect(await names()).toHaveLength(1);
    await engine.json('DELETE', `/containers/${taker}?v=1`);
    expect(await names()).toEqual([]);
  });

  test('a container that cannot be made leaves none', async () => {
    const conflicting = {
      Binds: ['new-one:/a'],
      Mounts: [{ Type: 'bind', Source: '/no/such', Target: '/b' }],
    };
    expect((await refusal(conflicting)).status).toBe(400);
    expect(await names()).toEqual([]);
  });
});

describe('bind mounts and tmpfs', () => {
  test('directories and files of the host', async () => {
    writeFileSync(join(scratch, 'one'), 'one\n');
    const said = await shell('cat /dir/one /file; echo more >> /file; echo no > /dir/two', {
      Binds: [`${scratch}:/dir:ro`, `${scratch}/one:/file`],
    });
    expect(said).toMatch(/^one\none\n.*Read-only/);
    expect(readFileSync(join(scratch, 'one'), 'utf8')).toBe('one\nmore\n');
  });

  test('-v makes a missing source, --mount refuses it', async () => {
    const source = join(scratch, 'made');
    await shell('true', { Binds: [`${source}:/v`] });
    expect(statSync(source).isDirectory()).toBe(true);
    const missing = join(scratch, 'missing');
    expect(await refusal({ Mounts: [{ Type: 'bind', Source: missing, Target: '/v' }] })).toEqual({
      status: 400,
      message: `invalid mount config for type "bind": bind source path does not exist: ${missing}`,
    });
    expect(existsSync(missing)).toBe(false);
    const gone = { Type: 'bind', Source: source, Target: '/v' };
    const id = await engine.create(['true'], { HostConfig: { Mounts: [gone] } });
    rmSync(source, { recursive: true });
    const started = await engine.ask('POST', `/containers/${id}/start`);
    expect([started.status, String(started.body)]).toEqual([400, expect.stringContaining('does not exist')]);
  });

  test.each([
    [{ Binds: ['./data:/v'] }, /includes invalid characters for a local volume name/],
    [{ Mounts: [{ Type: 'bind', Source: 'data', Target: '/v' }] }, /mount path must be absolute/],
    [{ Binds: ['/tmp:/'] }, /destination can't be '\/'/],
    [{ Binds: ['/tmp:/a/../..'] }, /destination can't be '\/'/],
    [{ Mounts: [{ Type: 'tmpfs', Target: '/' }] }, /destination can't be '\/'/],
    [{ Binds: ['/tmp:relative'] }, /mount path must be absolute/],
    [{ Binds: ['/tmp:/v', 'name:/v/'] }, /Duplicate mount point: \/v/],
    [{ Binds: ['/tmp:/v:wrong'] }, /invalid mode: wrong/],
    [{ Binds: ['name:/v:rshared'] }, /field BindOptions must not be specified/],
    [{ VolumesFrom: ['nobody'] }, /No such container: nobody/],
    [{ Binds: ['name:/v'], VolumeDriver: 'cloud' }, /plugin "cloud" not found/],
  ])('%j is refused', async (host, message) => {
    expect((await refusal(host)).message).toMatch(message);
    expect(await names()).toEqual([]);
  });

  test('a symbolic link of the image leads no mount out of the container', async () => {
    mkdirSync(join(scratch, 'outside'));
    const source = join(scratch, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'file'), 'mounted\n');
    const image = { Image: 'with-volume' };
    const said = await shell(
      `cat ${scratch}/outside/file; ls /way-out`,
      { Binds: [`${source}:/way-out`] },
      image,
    );
    expect(said).toBe('mounted\nfile\n');
    expect(readdirSync(join(scratch, 'outside'))).toEqual([]);
    const id = await engine.create(['true'], { ...image, HostConfig: { Binds: [`${source}:/nowhere`] } });
    expect((await engine.ask('POST', `/containers/${id}/start`)).status).toBe(204);
    expect(existsSync(join(scratch, 'not-in-the-image'))).toBe(false);
  });

  test('propagation: later mounts of the host appear where that was asked for, and no others', async () => {
    const tree = join(scratch, 'tree');
    mkdirSync(tree);
    const inDaemon = (command: string) =>
      execFileSync('nsenter', ['-t', String(daemon.namespaces), '-m', 'sh', '-c', command]);
    expect((await refusalAtStart({ Binds: [`${tree}:/v:rshared`] })).message).toContain(
      'but it is not a shared mount',
    );
    inDaemon(`mount -t tmpfs tree ${tree} && mount --make-shared ${tree} && mkdir ${tree}/late ${tree}/back`);
    try {
      const make = (mode: string) =>
        engine.run(['sleep', '1000'], {
          HostConfig: { Binds: [`${tree}:/v:${mode}`], CapAdd: ['SYS_ADMIN'] },
        });
      const [slave, apart, shared] = [await make('rslave'), await make('rprivate'), await make('rshared')];
      inDaemon(`mount -t tmpfs late ${tree}/late && echo here > ${tree}/late/file`);
      const sees = async (id: string, path: string) =>
        existsSync(`/proc/${(await engine.inspect(id)).State.Pid}/root${path}`);
      expect(await sees(slave, '/v/late/file')).toBe(true);
      expect(await sees(apart, '/v/late/file')).toBe(false);
      expect(await sees(shared, '/v/late/file')).toBe(true);
      const { Pid } = (await engine.inspect(shared)).State;
      execFileSync('nsenter', ['-t', String(Pid), '-m', 'mount', '-t', 'tmpfs', 'back', '/v/back']);
      expect(readFileSync(`/proc/${daemon.namespaces}/mountinfo`, 'utf8')).toContain(`${tree}/back`);
    } finally {
      inDaemon(`umount -R ${tree}`);
    }
  });

  test('mounts below a read-only mount are read-only, too, unless they are to stay writable', async () => {
    const tree = join(scratch, 'read-only');
    mkdirSync(join(tree, 'below'), { recursive: true });
    const inDaemon = (command: string) =>
      execFileSync('nsenter', ['-t', String(daemon.namespaces), '-m', 'sh', '-c', command]);
    inDaemon(`mount -t tmpfs below ${tree}/below`);
    try {
      const mount = { Type: 'bind', Source: tree, Target: '/v', ReadOnly: true };
      const script = 'for f in /v/file /v/below/file; do touch $f && echo wrote $f; done 2>/dev/null';
      expect(await shell(script, { Mounts: [mount] })).toBe('');
      expect(await shell(script, { Binds: [`${tree}:/v:ro`] })).toBe('');
      const BindOptions = { ReadOnlyNonRecursive: true };
      expect(await shell(script, { Mounts: [{ ...mount, BindOptions }] })).toBe('wrote /v/below/file\n');
      const alone = { ...mount, BindOptions: { NonRecursive: true } };
      expect(await shell('mountpoint -q /v/below || echo not there', { Mounts: [alone] })).toBe(
        'not there\n',
      );
    } finally {
      inDaemon(`umount ${tree}/below`);
    }
  });

  test('tmpfs by --tmpfs and by --mount, with their options', async () => {
    const said = await shell('df -k /a /b | tail -n2; ls -ld /b; cat /proc/mounts | grep " /a "', {
      Tmpfs: { '/a': 'size=1m,exec' },
      Mounts: [{ Type: 'tmpfs', Target: '/b', TmpfsOptions: { SizeBytes: 2 * 1024 * 1024, Mode: 0o1770 } }],
    });
    expect(said).toMatch(/tmpfs\s+1024 .*\ntmpfs\s+2048 /);
    expect(said).toContain('drwxrwx--T');
    expect(said).not.toContain('noexec');
  });

  async function refusalAtStart(host: object) {
    const id = await engine.create(['true'], { HostConfig: host });
    const { status, body } = await engine.ask('POST', `/containers/${id}/start`);
    return { status, message: JSON.parse(String(body)).message as string };
  }
});

describe('the API', () => {
  test('create answers with the volume, and with the same one when it is repeated', async () => {
    const body = { Name: 'asked', Labels: { color: 'red' } };
    const made = await engine.json<VolumeResource>('POST', '/volumes/create', body);
    expect(made).toEqual({
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      Driver: 'local',
      Labels: { color: 'red' },
      Mountpoint: data('asked'),
      Name: 'asked',
      Options: null,
      Scope: 'local',
    });
    expect(await engine.json('POST', '/volumes/create', { Name: 'asked' })).toEqual(made);
    expect(await engine.json('GET', '/volumes/asked')).toEqual(made);
    const nameless = await engine.json<VolumeResource>('POST', '/volumes/create', {});
    expect(nameless.Name).toMatch(/^[0-9a-f]{64}$/);
    expect(nameless.Labels).toEqual({ 'com.docker.volume.anonymous': '' });
    for (const Name of ['-x', '../x', 'a/b', 'x'.repeat(300)])
      expect((await engine.ask('POST', '/volumes/create', { Name })).status).toBe(400);
  });

  test('list filters by name, label, driver and use', async () => {
    for (const [Name, Labels] of [
      ['one', { color: 'red' }],
      ['two', { color: 'blue' }],
    ] as const)
      await engine.json('POST', '/volumes/create', { Name, Labels });
    await engine.create(['true'], { HostConfig: { Binds: ['two:/v'] } });
    expect(await names({ name: ['w'] })).toEqual(['two']);
    expect(await names({ label: ['color'] })).toEqual(['one', 'two']);
    expect(await names({ label: ['color=red'] })).toEqual(['one']);
    expect(await names({ driver: ['local'] })).toEqual(['one', 'two']);
    expect(await names({ driver: ['other'] })).toEqual([]);
    expect(await names({ dangling: ['true'] })).toEqual(['one']);
    expect(await names({ dangling: { false: true } })).toEqual(['two']);
    const { status, body } = await engine.ask('GET', '/volumes?filters={"size":["1"]}');
    expect([status, String(body)]).toEqual([400, expect.stringContaining("Invalid filter 'size'")]);
  });

  test('prune removes unused anonymous ones, with all=true unused named ones, and says how much that was', async () => {
    await shell('head -c 5000 /dev/zero > /v/file', { Binds: ['named:/v'] });
    const { Name } = await engine.json<VolumeResource>('POST', '/volumes/create', {});
    await engine.create(['true'], { HostConfig: { Binds: ['used:/v'] } });
    const prune = (query: string) => engine.json('POST', `/volumes/prune${query}`);
    expect(await prune('')).toEqual({ VolumesDeleted: [Name], SpaceReclaimed: 0 });
    const all = (more: object) =>
      `?filters=${encodeURIComponent(JSON.stringify({ all: ['true'], ...more }))}`;
    expect(await prune(all({ label: ['x'] }))).toEqual({ VolumesDeleted: null, SpaceReclaimed: 0 });
    expect(await prune(all({}))).toEqual({ VolumesDeleted: ['named'], SpaceReclaimed: 5000 });
    expect(await names()).toEqual(['used']);
  });

  test('events tell of create, mount, unmount and destroy', async () => {
    const since = Date.now() / 1000;
    const id = await engine.run(['true'], { HostConfig: { Binds: ['told:/v:ro'] } });
    await engine.wait(id);
    await engine.json('DELETE', `/containers/${id}`);
    await engine.json('DELETE', '/volumes/told');
    const filters = encodeURIComponent('{"type":["volume"],"volume":["told"]}');
    const path = `/events?since=${since}&until=${Date.now() / 1000 + 0.05}&filters=${filters}`;
    const lines = String((await engine.ask('GET', path)).body)
      .trim()
      .split('\n');
    const events = lines.map(line => JSON.parse(line));
    expect(events.map(each => each.Action)).toEqual(['create', 'mount', 'unmount', 'destroy']);
    expect(events[1].Actor).toEqual({
      ID: 'told',
      Attributes: {
        container: id,
        destination: '/v',
        driver: 'local',
        propagation: '',
        'read/write': 'false',
      },
    });
  });

  test('system df tells of their sizes and users', async () => {
    await shell('head -c 1000 /dev/zero > /v/file', { Binds: ['measured:/v'] });
    const { Volumes } = await engine.json<{ Volumes: VolumeResource[] }>('GET', '/system/df');
    expect(Volumes).toMatchObject([{ Name: 'measured', UsageData: { RefCount: 0, Size: 1000 } }]);
  });
});

describe.each(commandLines(() => daemon))('$name', ({ does, cli }) => {
  test('system df -v lists images, containers, volumes and the build cache', async () => {
    const headings = (await does('system df -v')).split('\n').filter(line => / usage: ?/.test(line));
    expect(headings).toEqual([
      'Images space usage:',
      'Containers space usage:',
      'Local Volumes space usage:',
      'Build cache usage: 0B',
    ]);
    await does('volume create listed');
    const format = '{{range .Volumes}}{{.Name}} {{.Links}} {{.Size}}\n{{end}}{{len .BuildCache}}';
    expect(await does(['system', 'df', '-v', '--format', format])).toMatch(/listed 0 0B\n.*0\n?$/s);
    await does('volume rm listed');
  });

  test('volume create, ls, inspect, rm, prune', async () => {
    expect(await does('volume create --label color=red first')).toBe('first\n');
    expect(await does('volume create')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await does('volume ls --filter name=first')).toMatch(/^DRIVER +VOLUME NAME\nlocal +first\n$/);
    expect(await does('volume ls -q --filter label=color=red')).toBe('first\n');
    expect(await does(['volume', 'inspect', '-f', '{{.Mountpoint}}', 'first'])).toBe(`${data('first')}\n`);
    expect(JSON.parse(await does('volume inspect first'))).toMatchObject([
      { Name: 'first', Driver: 'local' },
    ]);
    expect(await cli('volume inspect nope')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no such volume/i),
    });
    const pruned = await does('volume prune -f');
    expect(pruned).toMatch(/^Deleted Volumes:\n[0-9a-f]{64}\n[\s\S]*\nTotal reclaimed space: 0B\n$/);
    // Clients before API 1.42 remove named ones, too, and have no --all.
    if (!pruned.includes('first'))
      expect(await does('volume prune -af')).toBe('Deleted Volumes:\nfirst\n\nTotal reclaimed space: 0B\n');
    expect(await does('volume create second')).toBe('second\n');
    expect(await does('volume rm second')).toBe('second\n');
    expect(await cli('volume rm second')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no such volume/i),
    });
  });

  test('-v, --mount, --tmpfs, --volumes-from and rm -v', async () => {
    await does([
      'run',
      '--name',
      'writer',
      '-v',
      'vol:/v',
      '-v',
      '/anonymous',
      'busybox',
      'sh',
      '-c',
      'echo a > /v/f',
    ]);
    expect(await does('run --rm --volumes-from writer busybox cat /v/f')).toBe('a\n');
    expect(await does('run --rm --mount type=volume,src=vol,dst=/w,readonly busybox cat /w/f')).toBe('a\n');
    expect(await does(`run --rm --mount type=bind,src=${scratch},dst=/w busybox test -d /w`)).toBe('');
    expect(await does('run --rm --tmpfs /t:size=1m busybox df -k /t')).toContain('1024');
    expect(await cli('run --rm --mount type=bind,src=/no/such,dst=/w busybox true')).toMatchObject({
      code: 125,
      err: expect.stringContaining('bind source path does not exist: /no/such'),
    });
    expect(await cli('volume rm vol')).toMatchObject({
      code: 1,
      err: expect.stringContaining('volume is in use'),
    });
    await does('rm -v writer');
    expect(await does('volume ls -q')).toBe('vol\n');
  });
});

test('a source of a bind mount that cannot be made is an error, and the daemon goes on', async () => {
  const body = { Image: 'busybox', HostConfig: { Binds: ['/proc/nowhere/x:/x'] } };
  const { Id } = await engine
    .json<{ Id: string }>('POST', '/containers/create', body)
    .catch(() => ({ Id: '' }));
  const { status, body: said } = await engine.ask('POST', `/containers/${Id || 'none'}/start`);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(Id === '' || said.toString().includes('/proc/nowhere')).toBe(true);
  if (Id !== '') await engine.ask('DELETE', `/containers/${Id}?force=1`);
  expect((await engine.ask('GET', '/_ping')).status).toBe(200);
});
