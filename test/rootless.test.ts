// The daemon of an ordinary user: what Docker calls rootless.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ContainerInspect } from '../mini-docker/formats/engine-api/containers.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';
import { hasProgram } from './support/foreign-clients.ts';
import { leftBehind } from './support/leaks.ts';
import { asUser, OUTSIDE, USER, usersMayMakeNamespaces } from './support/ordinary-user.ts';

describe.skipIf(!usersMayMakeNamespaces)('an ordinary user', () => {
  const ROOT = join(import.meta.dirname, '..');
  let daemon: TestDaemon;
  let engine: EngineClient;

  beforeAll(async () => {
    daemon = await startDaemon({ rootless: { nameServer: existsSync('/etc/resolv.conf') } });
    engine = engineClient(daemon);
  });
  afterAll(() => daemon.stop());

  /** Runs JavaScript in the host's network. */
  const onHost = (script: string, ...args: string[]): string => {
    const command = ['-t', String(daemon.namespaces), '-n', '-m', process.execPath, '-e', script, ...args];
    return execFileSync('nsenter', command, { encoding: 'utf8', timeout: 20_000 });
  };
  const status = (pid: number, field: string): string =>
    new RegExp(`^${field}:\\s+(\\w+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
  const userNamespace = (pid: number | 'self'): string => readlinkSync(`/proc/${pid}/ns/user`);
  const remove = (id: string) => engine.ask('DELETE', `/containers/${id}?force=1`);

  test('neither the daemon nor root of a container has any right outside', async () => {
    const id = await engine.run(['sleep', '1000']);
    const { Pid } = (await engine.inspect(id)).State;
    for (const pid of [daemon.pid, Pid]) {
      expect(status(pid, 'Uid')).toBe(String(USER.id));
      expect(userNamespace(pid)).not.toBe(userNamespace('self'));
      expect(status(pid, 'CapEff')).not.toBe('0000000000000000');
    }
    await remove(id);
  });

  const hasIds = hasProgram('newuidmap');
  test.skipIf(!hasIds)("a container's other users are subordinate ids of the user", async () => {
    const id = await engine.run(['sleep', '1000'], { User: '33:33' });
    expect(status((await engine.inspect(id)).State.Pid, 'Uid')).toBe(String(USER.subordinate + 32));
    await remove(id);
  });

  test('other users can reach neither the socket nor the data', () => {
    for (const directory of [daemon.runDir, daemon.dataRoot])
      expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(daemon.socket).uid).toBe(USER.id);
  });

  const GET = `const again = () => fetch('http://' + process.argv[1]).then(answer => answer.text()).then(console.log, again);
again();`;
  const ECHO = `const socket = require('node:dgram').createSocket('udp4');
const again = setInterval(() => socket.send('echo', 5353, process.argv[1]), 50);
socket.on('message', text => { console.log(String(text)); process.exit(); });`;

  test('directories of root in its data root do not keep it from starting', async () => {
    const id = await engine.create(['true'], { name: 'kept' });
    const inData = (path: string) => join(daemon.dataRoot, path);
    const taken = [`containers/${id}`, 'volumes/foreign', 'build'];
    await daemon.end('SIGKILL');
    mkdirSync(inData('volumes/foreign'));
    for (const path of taken) {
      chownSync(inData(path), 0, 0);
      chmodSync(inData(path), 0o700);
    }
    await daemon.begin();
    const { Warnings } = await engine.json<{ Warnings: string[] }>('GET', '/info');
    for (const path of taken) expect(Warnings.join('\n')).toContain(inData(path));
    expect(await engine.wait(await engine.run(['true']))).toBe(0);
    const [broken] = await engine.json<{ Id: string }[]>(
      'GET',
      '/containers/json?all=1&filters={"name":["broken"]}',
    );
    expect(broken?.Id).toBe(id);
    chownSync(inData(`containers/${id}`), USER.id, USER.id);
    rmdirSync(inData('volumes/foreign'));
    expect((await remove(id)).status).toBe(204);
  });

  test('a published port answers on 127.0.0.1 and on the address of the host, for TCP and UDP', async () => {
    const script = 'echo hello > /index.html; httpd -h /; exec nc -lu -p 53 -e cat';
    const id = await engine.run(['sh', '-c', script], {
      HostConfig: {
        NetworkMode: 'bridge',
        PortBindings: { '80/tcp': [{ HostPort: '8080' }], '53/udp': [{ HostPort: '5353' }] },
      },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    });
    for (const address of ['127.0.0.1', '198.51.100.2', '[::1]'])
      expect(onHost(GET, `${address}:8080`)).toBe('hello\n\n');
    // This server answers its first client only.
    expect(onHost(ECHO, '198.51.100.2')).toBe('echo\n');
    await remove(id);
  });

  test.each([
    ['', [], false],
    [', whose namespaces lost their keeper', ['holder', 'outside'], false],
    [', and the record of the namespaces is damaged', [], true],
  ])('after kill -9 the next daemon finds containers, ports, and exits%s', async (_, killed, isDamaged) => {
    const going = await engine.run(['sh', '-c', 'echo here > /index.html; exec httpd -f -h /'], {
      HostConfig: { NetworkMode: 'bridge', PortBindings: { '80/tcp': [{ HostPort: '8081' }] } },
      ExposedPorts: { '80/tcp': {} },
    });
    const ending = await engine.run(['sh', '-c', 'sleep 0.3; exit 7']);
    const before = (await engine.inspect(going)).State;
    const kept = JSON.parse(readFileSync(join(daemon.runDir, 'rootless.json'), 'utf8'));
    await daemon.end('SIGKILL');
    for (const name of killed) process.kill(kept[name].pid, 'SIGKILL');
    if (isDamaged) writeFileSync(join(daemon.runDir, 'rootless.json'), '{');
    await daemon.begin();
    expect((await engine.inspect(going)).State).toEqual(before);
    expect(await engine.wait(ending)).toBe(7);
    expect(onHost(GET, '127.0.0.1:8081')).toBe('here\n\n');
    const body = { Cmd: ['hostname'], AttachStdout: true };
    const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${going}/exec`, body);
    const said = await engine.ask('POST', `/exec/${Id}/start`, { Detach: false });
    expect(String(said.body)).toContain(going.slice(0, 12));
    for (const id of [going, ending]) await remove(id);
  });

  test("packets are traced, and a namespace has its file, in the daemon's own network", async () => {
    const HostConfig = { NetworkMode: 'bridge' };
    const id = await engine.run(['ping', '172.17.0.1'], { name: 'pinging', HostConfig });
    const { NetworkSettings } = await engine.json<ContainerInspect>('GET', `/containers/${id}/json`);
    const packets = await engine.open('GET', `/mini-docker/network-trace?container=${id}`);
    const [line] = (await once(packets, 'data')) as [Buffer];
    packets.destroy();
    expect(JSON.parse(line.toString().split('\n')[0]!)).toMatchObject({
      protocol: 'icmp',
      end: { kind: expect.stringMatching(/^(host|sent)$/) },
    });
    const within = ['-t', String(daemon.pid), '-U', '-m', '-n', 'nsenter'];
    const links = execFileSync('nsenter', [...within, `--net=${NetworkSettings.SandboxKey}`, 'ip', 'addr']);
    expect(String(links)).toContain(NetworkSettings.IPAddress);
    await remove(id);
  });

  test('without a control group of its own, limits are refused by their flags', async () => {
    const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { Memory: 2 ** 25, PidsLimit: 9 } };
    const { status, body: answer } = await engine.ask('POST', '/containers/create', body);
    expect([status, String(answer)]).toEqual([
      400,
      expect.stringContaining('--memory, --memory-swap, --pids-limit'),
    ]);
    const info = await engine.json<{ SecurityOptions: string[]; MemoryLimit: boolean; Warnings: string[] }>(
      'GET',
      '/info',
    );
    expect(info).toMatchObject({ MemoryLimit: false, CgroupDriver: 'none' });
    expect(info.SecurityOptions).toContain('name=rootless');
    expect(info.Warnings[0]).toContain('no container can have a limit');
  });

  test('the API over TCP and the metrics are served in the network of the host', async () => {
    const args = ['--host', 'tcp://127.0.0.1:2375', '--metrics-addr', '127.0.0.1:9323'];
    await using other = await startDaemon({ rootless: true, args });
    const command = ['-t', String(other.namespaces), '-n', '-m', process.execPath, '-e', GET];
    const get = (url: string) =>
      execFileSync('nsenter', [...command, url], { encoding: 'utf8', timeout: 20_000 });
    expect(get('127.0.0.1:2375/_ping')).toContain('OK');
    expect(get('127.0.0.1:9323/metrics')).toContain('# HELP');
  });

  test.each([
    ['its address is not of this machine', () => ['--host', 'tcp://192.0.2.1:2375'], 'cannot listen'],
    ['another daemon has its data root', () => ['--data-root', daemon.dataRoot], 'another daemon'],
  ])('a daemon that cannot start because %s leaves no process behind', async (_, args, reason) => {
    const failure = await startDaemon({ rootless: true, args: args() }).catch(error => String(error));
    expect(failure).toContain(reason);
    expect(failure).not.toContain('left behind');
    expect((await engine.ask('GET', '/_ping')).status).toBe(200);
  });

  test('files of a daemon are found by paths relative to where it starts', async () => {
    const directory = join(daemon.dataRoot, 'elsewhere');
    mkdirSync(directory);
    chownSync(directory, USER.id, USER.id);
    writeFileSync(join(directory, 'own.json'), '{ "fixed-cidr": "10.1.0.0/16" }', { mode: 0o644 });
    const where = `--data-root ${directory}/data --run-dir ${directory}/run`;
    const script = `cd ${directory} && exec ${asUser(ROOT, [NODE, MAIN, 'daemon']).slice(-3).join(' ')} --config-file own.json ${where}`;
    const command = asUser(ROOT, ['sh', '-c', script]);
    const { stderr } = spawnSync('nsenter', ['-t', String(daemon.namespaces), '-m', '-n', ...command], {
      encoding: 'utf8',
      timeout: 50_000,
    });
    // The network's settings are looked at late, and inside the namespaces.
    expect(stderr).toContain('fixed-cidr 10.1.0.0/16 is not in the subnet');
    expect(await leftBehind({ directory, ids: [] })).toEqual([]);
    rmSync(directory, { recursive: true });
  });

  test('a signal while the daemon makes its namespaces leaves none', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mini-docker-path-'));
    try {
      chmodSync(directory, 0o755);
      writeFileSync(join(directory, 'pasta'), '#!/bin/sh\nkill -TERM $PPID\nexit 1\n', { mode: 0o755 });
      const env = { PATH: `${directory}:${process.env.PATH}` };
      const failure = await startDaemon({ rootless: true, env }).catch(error => String(error));
      expect(failure).toContain('SIGTERM came before');
      expect(failure).not.toContain('left behind');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('namespaces of the host, and its devices, are shared as far as the user has rights there', async () => {
    const script = 'ls -d /proc/1/task && test -c /dev/full && id -u';
    for (const HostConfig of [
      { PidMode: 'host' },
      { IpcMode: 'host' },
      { UTSMode: 'host' },
      { NetworkMode: 'host' },
      { Privileged: true },
    ]) {
      const id = await engine.run(['sh', '-c', script], { HostConfig });
      expect(await engine.wait(id), JSON.stringify(HostConfig)).toBe(0);
      await remove(id);
    }
  });

  const OUTSIDE_SERVER = `require('node:http').createServer((_, answer) => answer.end('outside')).listen(7, '${OUTSIDE}', () => console.log(1))`;

  /** Runs a server in the host's network, which prints a line when it is ready, as long as `work` takes. */
  async function withServer(script: string, work: () => Promise<void>): Promise<void> {
    const server = spawn('nsenter', ['-t', String(daemon.namespaces), '-n', process.execPath, '-e', script]);
    try {
      await once(server.stdout, 'data');
      await work();
    } finally {
      server.kill();
    }
  }

  const ASK = ['wget', '-qO-', `http://${OUTSIDE}:7/`];

  test.skipIf(!hasProgram('pasta'))('containers reach the outside through pasta', async () => {
    await withServer(OUTSIDE_SERVER, async () => {
      const id = await engine.run(ASK, { HostConfig: { NetworkMode: 'bridge' } });
      await engine.wait(id);
      expect(await engine.logs(id)).toBe('outside');
      await remove(id);
    });
  });

  /** Answers every question for an address with 192.0.2.77. */
  const NAME_SERVER = `const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (query, { port, address }) => {
  const end = query.indexOf(0, 12) + 5;
  const isAddress = query.readUInt16BE(end - 4) === 1;
  const answer = Buffer.from([...query.subarray(0, end), 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 77]);
  answer.writeUInt16BE(0x8180, 2);
  for (const [at, count] of [[6, Number(isAddress)], [8, 0], [10, 0]]) answer.writeUInt16BE(count, at);
  socket.send(isAddress ? answer : answer.subarray(0, end), port, address);
});
socket.bind(53, '${OUTSIDE}', () => console.log('ready'));`;

  test.skipIf(!hasProgram('pasta') || !existsSync('/etc/resolv.conf'))(
    "names are resolved by the host's name server through pasta, with its search domains",
    async () => {
      await withServer(NAME_SERVER, async () => {
        await engine.json('POST', '/networks/create', { Name: 'named' });
        for (const NetworkMode of ['bridge', 'named']) {
          const script = 'grep search /etc/resolv.conf; nslookup -type=a host.example';
          const id = await engine.run(['sh', '-c', script], { HostConfig: { NetworkMode } });
          await engine.wait(id);
          expect(await engine.logs(id)).toMatch(/^search lan\n.*Address: 192\.0\.2\.77\n/s);
          await remove(id);
        }
        await engine.json('DELETE', '/networks/named');
      });
    },
  );

  /** A PATH with only these programs. */
  function only(directory: string, programs: string[]): string {
    for (const name of programs) {
      const found = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
      symlinkSync(found, join(directory, name));
    }
    return directory;
  }
  const NEEDED = ['nsenter', 'setpriv', 'env', 'sh', 'nft', ...(hasIds ? ['newuidmap', 'newgidmap'] : [])];

  describe('on another machine', { tags: 'further' }, () => {
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'mini-docker-path-'));
      chmodSync(directory, 0o755);
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    /** As pasta, which Debian 12's AppArmor confines to what passt does. */
    const forbidPasta = () => {
      const says = 'echo "Couldn\'t open user namespace /proc/1/ns/user: Permission denied" >&2; exit 1';
      writeFileSync(join(directory, 'pasta'), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
    };

    test('where pasta is forbidden and slirp4netns is missing, the warning says why, and what to install', async () => {
      forbidPasta();
      await using other = await startDaemon({ rootless: true, env: { PATH: only(directory, NEEDED) } });
      const { Warnings } = await engineClient(other).json<{ Warnings: string[] }>('GET', '/info');
      expect(Warnings.join()).toMatch(/Permission denied \(as by .*AppArmor.*\); install slirp4netns/);
    });

    test.skipIf(!hasProgram('slirp4netns')).each(['missing', 'forbidden'])(
      'slirp4netns serves where pasta is %s',
      async how => {
        if (how === 'forbidden') forbidPasta();
        const PATH = only(directory, [...NEEDED, 'slirp4netns']);
        await daemon.stop();
        daemon = await startDaemon({ rootless: true, env: { PATH } });
        engine = engineClient(daemon);
        await withServer(OUTSIDE_SERVER, async () => {
          const id = await engine.run(ASK, { HostConfig: { NetworkMode: 'bridge' } });
          await engine.wait(id);
          expect(await engine.logs(id)).toBe('outside');
          await remove(id);
        });
      },
    );

    test('without either, containers reach each other, and the warning says what to install', async () => {
      await using other = await startDaemon({ rootless: true, env: { PATH: only(directory, NEEDED) } });
      const client = engineClient(other);
      const HostConfig = { NetworkMode: 'bridge' };
      const server = await client.run(['tcpsvd', '-E', '0', '80', 'echo', 'there'], { HostConfig });
      const { IPAddress } = (await client.inspect(server)).NetworkSettings;
      const id = await client.run(['sh', '-c', `until nc -w 1 ${IPAddress} 80; do sleep 0.1; done`], {
        HostConfig,
      });
      expect(await client.wait(id)).toBe(0);
      expect(await client.logs(id)).toBe('there\n');
      const { Warnings } = await client.json<{ Warnings: string[] }>('GET', '/info');
      const remedy = 'install pasta (package passt) or slirp4netns';
      expect(Warnings.join()).toContain(remedy);
      const pulled = await client.ask('POST', `/images/create?fromImage=${OUTSIDE}/nothing&tag=1`);
      expect(String(pulled.body)).toContain(remedy);
    });

    test('without subordinate ids root is the only user, whose files all are', async () => {
      await using other = await startDaemon({ rootless: { subordinateIds: false } });
      const client = engineClient(other);
      const id = await client.run(['sh', '-c', 'stat -c %u /home; cat /proc/self/uid_map']);
      await client.wait(id);
      expect((await client.logs(id)).trim().split(/\s+/)).toEqual(['0', '0', String(USER.id), '1']);
      const { status, body } = await client.ask('POST', '/containers/create', {
        Image: 'busybox',
        Cmd: ['true'],
        User: '33',
        HostConfig: {},
      });
      const started =
        status === 201
          ? await client.ask('POST', `/containers/${JSON.parse(String(body)).Id}/start`)
          : undefined;
      expect(String(started?.body ?? body)).toContain('user ids 0 to 0');
      const { Warnings } = await client.json<{ Warnings: string[] }>('GET', '/info');
      expect(Warnings.join()).toContain(
        hasIds ? '/etc/subuid reserves no ids for student' : 'newuidmap is missing',
      );
    });
  });

  test('the command starts the daemon of its user, which ends without leaving a process', async () => {
    const environment = ['env', '-i', `HOME=${daemon.dataRoot}`, `PATH=${process.env.PATH}`];
    const command = asUser(ROOT, [...environment, NODE, MAIN, 'run', '--rm', 'busybox', 'id', '-u']);
    const { stdout, stderr } = spawnSync(
      'nsenter',
      ['-t', String(daemon.namespaces), '-m', '-n', ...command],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout, stderr).toBe('0\n');
    const runDir = join(daemon.dataRoot, '.local/share/mini-docker/run');
    const { holder, outside, uplink } = JSON.parse(readFileSync(join(runDir, 'rootless.json'), 'utf8'));
    const pid = Number(/pid (\d+)/.exec(stderr)![1]);
    process.kill(pid, 'SIGTERM');
    const left = [pid, holder.pid, outside.pid, ...(uplink.process ? [uplink.process.pid] : [])];
    await eventually(
      async () => left.filter(each => !['', 'Z'].includes(stateOf(each))),
      alive => alive.length === 0,
    );
  });

  function stateOf(pid: number): string {
    try {
      return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
    } catch {
      return '';
    }
  }
});
