// Images go to a registry and come from it, go through archives, and are looked into: with our command, docker's and
// skopeo, and Debian's own registry.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled } from '../mini-docker/images/testing/archives.ts';
import { type CommandLine, commandLines, type Ran } from './support/command-lines.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';
import { startRegistry, type TestRegistry } from './support/registry.ts';

const isReady = isInstalled('docker-registry') && isInstalled('skopeo');

/** 'secret', as htpasswd -B writes it. */
const USERS = 'me:$2b$05$qJz0N4MSvootW22g1P4U3O9xd9jQL7LXL5twX3/hPueytSArGpS6e\n';

let daemon: TestDaemon;
let engine: EngineClient;
let scratch: string;
let open: TestRegistry;
let closed: TestRegistry;
const lines = commandLines(() => daemon);
const ours = lines[0]!;
const dockers = lines.slice(1);

/** A command with a home of its own, for config.json, and what is typed into it. */
function withHome(home: string, input: string, command = [NODE, MAIN]): (args: string) => Promise<Ran> {
  return args =>
    new Promise((resolve, reject) => {
      const child = spawn(command[0]!, [...command.slice(1), ...args.split(' ')], {
        env: { PATH: process.env.PATH, HOME: home, DOCKER_HOST: daemon.host },
      });
      child.stdin.end(input);
      const said = Promise.all([text(child.stdout), text(child.stderr)]);
      child.on('error', reject);
      child.on('close', async code => {
        const [out, err] = await said;
        resolve({ code, out, err });
      });
    });
}

/** Runs in the daemon's network; what it printed. */
async function inside(...words: string[]): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run('nsenter', ['-t', String(daemon.namespaces), '-n', ...words], {
    maxBuffer: 1 << 24,
  });
  return stdout;
}

const skopeo = (...words: string[]) =>
  inside(
    'skopeo',
    words[0]!,
    ...(words[0] === 'copy' ? INSECURE_COPY : ['--tls-verify=false']),
    ...words.slice(1),
  );
const INSECURE_COPY = ['--src-tls-verify=false', '--dest-tls-verify=false'];

/** A tar of `files`, made by tar(1). */
function tarball(name: string, files: Record<string, Buffer | string>): string {
  const directory = join(scratch, `${name}.d`);
  mkdirSync(directory, { recursive: true });
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, path), content);
  const path = join(scratch, `${name}.tar`);
  execFileSync('tar', ['-C', directory, '--owner=0', '--group=0', '-cf', path, '.']);
  return path;
}

const idOf = async (name: string): Promise<string> =>
  (await engine.json<{ Id: string }>('GET', `/images/${name}/json`)).Id;
const exists = async (name: string): Promise<boolean> =>
  (await engine.ask('GET', `/images/${name}/json`)).status === 200;

describe.skipIf(!isReady)('images', () => {
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'mini-docker-images-'));
    const config = join(scratch, 'daemon.json');
    writeFileSync(config, JSON.stringify({ 'registry-mirrors': ['http://127.0.0.1:5000'] }));
    daemon = await startDaemon({ args: ['--config-file', config] });
    engine = engineClient(daemon);
    const network = daemon.namespaces;
    [open, closed] = await Promise.all([
      startRegistry({ directory: join(scratch, 'open'), port: 5000, network }),
      startRegistry({ directory: join(scratch, 'closed'), port: 5001, network, users: USERS }),
    ]);
    const base = tarball('base', { one: randomBytes(300_000), two: 'two\n' });
    await ours.does([
      'import',
      '-c',
      'CMD ["/bin/true"]',
      '-m',
      'first',
      base,
      'localhost:5000/team/first:1',
    ]);
    // busybox's layer and one more.
    const id = await engine.create(['true']);
    const added = join(scratch, 'added');
    writeFileSync(added, randomBytes(200_000));
    await ours.does(['cp', added, `${id}:/home/added`]);
    await ours.does(['commit', id, 'localhost:5000/team/two:1']);
    await engine.ask('DELETE', `/containers/${id}`);
  });

  afterAll(async () => {
    await Promise.all([open, closed].map(each => each?.stop()));
    try {
      await daemon?.stop();
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });

  describe('a registry', () => {
    test('skopeo copies what we pushed: the same digests, and the same bytes back here', async () => {
      const out = await ours.does('push localhost:5000/team/two:1');
      const digest = /^1: digest: (sha256:\S+) size: \d+$/m.exec(out)?.[1];
      expect(out).toContain('The push refers to repository [localhost:5000/team/two]\n');
      expect(out.match(/^[0-9a-f]{12}: Pushed$/gm)).toHaveLength(2);
      const source = 'docker://localhost:5000/team/two:1';
      expect(JSON.parse(await skopeo('inspect', source)).Digest).toBe(digest);
      await skopeo('copy', source, `oci:${join(scratch, 'layout')}:two`);
      const index = JSON.parse(readFileSync(join(scratch, 'layout/index.json'), 'utf8'));
      expect(index.manifests[0].digest).toBe(digest);
      // Under another name it comes back as the same image.
      await skopeo('copy', `oci:${join(scratch, 'layout')}:two`, 'docker://localhost:5000/copies/two:1');
      expect(await ours.does('pull localhost:5000/copies/two:1')).toContain(`Digest: ${digest}\n`);
      expect(await idOf('localhost:5000/copies/two:1')).toBe(await idOf('localhost:5000/team/two:1'));
    });

    test('what skopeo pushed in docker’s own form is pulled, runs, and has its digest', {
      tags: 'further',
    }, async () => {
      const archive = join(scratch, 'busybox.tar');
      await ours.does(`save -o ${archive} busybox`);
      const target = 'docker://localhost:5000/skopeo/box:1';
      await skopeo('copy', '--format', 'v2s2', `docker-archive:${archive}`, target);
      const { Digest } = JSON.parse(await skopeo('inspect', target));
      await ours.does('pull -q localhost:5000/skopeo/box:1');
      const { RepoDigests } = await engine.json<{ RepoDigests: string[] }>(
        'GET',
        '/images/localhost:5000/skopeo/box:1/json',
      );
      expect(RepoDigests).toContain(`localhost:5000/skopeo/box@${Digest}`);
      expect(await ours.does('run --rm --network none localhost:5000/skopeo/box:1 echo runs')).toBe('runs\n');
      expect(await ours.does(`pull localhost:5000/skopeo/box@${Digest}`)).toContain('Image is up to date');
    });

    test('blobs that the registry has are not sent again, and a neighbour’s layers are mounted', async () => {
      await ours.does('push localhost:5000/team/two:1');
      open.requests();
      expect((await ours.does('push localhost:5000/team/two:1')).match(/Layer already exists/g)).toHaveLength(
        2,
      );
      expect(open.requests().filter(each => /^(POST|PATCH|PUT) .*\/blobs\//.test(each))).toEqual([]);
      await ours.does('tag localhost:5000/team/two:1 localhost:5000/neighbour/two:1');
      expect(await ours.does('push localhost:5000/neighbour/two:1')).toMatch(
        /Mounted from (team|copies)\/two/,
      );
      const sent = open.requests().filter(each => /^(POST|PATCH|PUT) .*\/blobs\//.test(each));
      expect(sent.filter(each => /^POST \S+\?mount=\S+&from=\S+ 201$/.test(each))).toHaveLength(2);
      // The configuration, which is of no layer.
      expect(sent.filter(each => each.startsWith('PUT'))).toHaveLength(1);
    });

    test('run fetches what is missing, short names come from a mirror, and events tell of it', async () => {
      await ours.does('tag busybox localhost:5000/library/thing:latest');
      await ours.does('push localhost:5000/library/thing');
      await ours.does('rmi localhost:5000/library/thing');
      const since = Math.floor(Date.now() / 1000);
      const ran = await ours.cli('run --rm --network none thing echo here');
      expect(ran).toMatchObject({ code: 0, out: 'here\n' });
      expect(ran.err).toMatch(
        /^Unable to find image 'thing:latest' locally\nlatest: Pulling from library\/thing\n/,
      );
      expect(ran.err).toMatch(/\nStatus: Downloaded newer image for thing:latest\n$/);
      await ours.does('tag thing other');
      await ours.does('rmi thing');
      await ours.does('rmi other');
      const until = Math.ceil(Date.now() / 1000);
      const filter = ['--filter', 'type=image', '--format', '{{.Action}} {{.Actor.Attributes.name}}'];
      const events = await ours.does(['events', '--since', `${since}`, '--until', `${until}`, ...filter]);
      for (const event of ['pull thing', 'tag other:latest', 'untag thing:latest']) {
        expect(events.split('\n')).toContain(event);
      }
    });

    test('all tags of a name go and come', async () => {
      for (const tag of ['a', 'b']) await ours.does(`tag busybox localhost:5000/many/box:${tag}`);
      await ours.does('push -aq localhost:5000/many/box');
      await ours.does('rmi localhost:5000/many/box:a localhost:5000/many/box:b');
      expect(await ours.does('pull -a localhost:5000/many/box')).toMatch(/box:a\n[\s\S]*box:b\n/);
      // A line for each name.
      expect(await ours.does('images -q localhost:5000/many/box')).toMatch(/^([0-9a-f]{12})\n\1\n$/);
      const tags = await ours.does(['images', '--format', '{{.Tag}}', 'localhost:5000/many/*']);
      expect(tags.trim().split('\n').sort()).toEqual(['a', 'b']);
    });

    test('one name for several platforms: each gets its own', async () => {
      const archive = tarball('arm', { file: 'arm\n' });
      await ours.does(`import --platform linux/arm64 ${archive} localhost:5000/multi/box:arm`);
      await ours.does('tag busybox localhost:5000/multi/box:amd');
      await ours.does('tag busybox localhost:5000/elsewhere/box:amd');
      for (const name of ['multi/box:arm', 'multi/box:amd', 'elsewhere/box:amd']) {
        await ours.does(`push -q localhost:5000/${name}`);
      }
      const list = 'localhost:5000/multi/box:1';
      const create = `manifest create ${list} localhost:5000/multi/box:arm localhost:5000/elsewhere/box:amd`;
      expect(await ours.does(create)).toBe(`Created manifest list ${list}\n`);
      expect((await ours.cli(create)).err).toContain('--amend adds to it');
      await ours.does(`manifest annotate --variant v8 ${list} localhost:5000/multi/box:arm`);
      const draft = JSON.parse(await ours.does(`manifest inspect ${list}`));
      const digest = (await ours.does(`manifest push --purge ${list}`)).trim();
      const raw = await skopeo('inspect', '--raw', `docker://${list}`);
      expect(JSON.parse(raw)).toEqual(draft);
      expect(draft.manifests.map((each: { platform: object }) => each.platform)).toEqual([
        { architecture: 'arm64', os: 'linux', variant: 'v8' },
        { architecture: 'amd64', os: 'linux' },
      ]);
      const arm = await idOf('localhost:5000/multi/box:arm');
      expect(await ours.does(`pull --platform linux/arm64 ${list}`)).toContain(`Digest: ${digest}\n`);
      expect(await idOf(list)).toBe(arm);
      await ours.does(`pull -q ${list}`);
      expect(await idOf(list)).toBe(await idOf('busybox'));
      const { err } = await ours.cli(`pull --platform linux/s390x ${list}`);
      expect(err).toMatch(
        /^Error response from daemon: no image for linux\/s390x: there is linux\/arm64\/v8, .*\n$/,
      );
      expect((await ours.cli(`manifest rm ${list}`)).err).toContain('No such manifest list');
      expect(await engine.json('GET', `/distribution/${list}/json`)).toMatchObject({
        Descriptor: { digest },
        Platforms: [{ architecture: 'arm64' }, { architecture: 'amd64' }],
      });
    });

    test('a registry with passwords: login, push, pull, logout', async () => {
      const home = join(scratch, 'home');
      const me = withHome(home, 'secret\n');
      await ours.does('tag busybox localhost:5001/private/box:1');
      const denied = await me('push localhost:5001/private/box:1');
      expect(denied.err).toMatch(
        /^Error response from daemon: push access denied for localhost:5001\/private\/box.*\n$/,
      );
      const wrong = await withHome(home, 'wrong\n')('login -u me --password-stdin localhost:5001');
      expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/^Error response .*log in.*\n$/) });
      expect(await me('login -u me --password-stdin localhost:5001')).toMatchObject({
        code: 0,
        out: 'Login Succeeded\n',
      });
      expect(JSON.parse(readFileSync(join(home, '.docker/config.json'), 'utf8')).auths).toEqual({
        'localhost:5001': { auth: Buffer.from('me:secret').toString('base64') },
      });
      expect((await me('push localhost:5001/private/box:1')).code).toBe(0);
      await ours.does('rmi localhost:5001/private/box:1');
      expect((await me('pull -q localhost:5001/private/box:1')).code).toBe(0);
      expect((await me('manifest inspect localhost:5001/private/box:1')).code).toBe(0);
      expect((await me('search localhost:5001/priv')).out).toContain('localhost:5001/private/box');
      await me('logout localhost:5001');
      const { code, err } = await me('pull localhost:5001/private/box:1');
      expect({ code, err }).toEqual({
        code: 1,
        err: "Error response from daemon: pull access denied for localhost:5001/private/box, repository does not exist or may require 'docker login'\n",
      });
    });
  });

  describe('what goes wrong', () => {
    test.each(lines)('$name: an unknown image, no network, a wrong name: one clear line', async ({ cli }) => {
      for (const [args, message] of [
        [
          'pull localhost:5000/team/two:none',
          /^Error response from daemon: manifest for localhost:5000\/team\/two:none not found/,
        ],
        [
          'pull nothing.invalid/x:1',
          /^Error response from daemon: cannot pull x: nothing\.invalid cannot be reached: /,
        ],
        ['pull localhost:5009/x:1', /connection refused/],
        [
          'push localhost:5000/never/made:1',
          /^(Error response from daemon: )?An image does not exist locally with the tag: localhost:5000\/never\/made/,
        ],
        ['run --rm localhost:5000/team/two:none', /not found/],
      ] as const) {
        const { code, err } = await cli(args);
        const last = err
          .trimEnd()
          .split('\n')
          .filter(each => !/^(Unable|Run|See|$)/.test(each));
        expect(last, args).toHaveLength(1);
        expect(last[0], args).toMatch(message);
        expect(code, args).toBe(args.startsWith('run') ? 125 : 1);
      }
    });

    /** Pulls until the first bytes have come, with a registry that stops then. */
    function beginPull(name: string): Promise<{ leave(): void }> {
      return new Promise((resolve, reject) => {
        const [image, tag] = [name.slice(0, name.lastIndexOf(':')), name.slice(name.lastIndexOf(':') + 1)];
        const path = `/images/create?fromImage=${image}&tag=${tag}`;
        const asked = request({ socketPath: daemon.socket, method: 'POST', path, agent: false }, reply => {
          reply.setEncoding('utf8').on('data', (line: string) => {
            if (!line.includes('"Downloading"')) return;
            // Whatever else has come: no more will.
            stopRegistry();
            resolve({ leave: () => asked.destroy() });
          });
          reply.on('error', () => {});
          reply.on('end', () => reject(new Error('it was too fast')));
        });
        asked.on('error', () => {});
        asked.end();
      });
    }
    // The process is nsenter's, which has become the registry's.
    const stopRegistry = () => open.process.kill('SIGSTOP');
    const temporary = () => readdirSync(join(daemon.dataRoot, 'images/tmp'));

    test('a pull that is interrupted on either side leaves nothing, and the next one is complete', {
      tags: 'further',
    }, async () => {
      const name = 'localhost:5000/large/image:1';
      const archive = tarball('large', { noise: randomBytes(48_000_000) });
      await ours.does(`import ${archive} ${name}`);
      await ours.does(`push -q ${name}`);
      const id = await idOf(name);
      await ours.does(`rmi ${name}`);
      try {
        (await beginPull(name)).leave();
        await expect.poll(temporary, { timeout: 5000 }).toEqual([]);
        open.process.kill('SIGCONT');
        expect(await exists(name)).toBe(false);

        await beginPull(name);
        expect(temporary()).not.toEqual([]);
        await daemon.end('SIGKILL');
      } finally {
        open.process.kill('SIGCONT');
      }
      await daemon.begin();
      expect(temporary()).toEqual([]);
      expect(await exists(name)).toBe(false);
      await ours.does(`pull -q ${name}`);
      expect(await idOf(name)).toBe(id);
      await ours.does(`rmi ${name}`);
    });

    test('a load that breaks off leaves nothing', async () => {
      const archive = join(scratch, 'half.tar');
      await ours.does(`save -o ${archive} localhost:5000/team/two:1`);
      const before = await ours.does('images -aq');
      const headers = { 'content-type': 'application/x-tar', 'content-length': '100000000' };
      const options = {
        socketPath: daemon.socket,
        method: 'POST',
        path: '/images/load',
        agent: false,
        headers,
      };
      const asked = request(options);
      asked.on('error', () => {});
      asked.write(readFileSync(archive));
      await expect.poll(() => temporary().length).toBeGreaterThan(0);
      asked.destroy();
      await expect.poll(temporary).toEqual([]);
      expect(await ours.does('images -aq')).toBe(before);
      rmSync(archive);
    });

    test('a file that is not an archive of images is refused, and nothing is left', async () => {
      const archive = tarball('nothing', { file: 'x' });
      const before = await ours.does('images -aq');
      expect(await ours.cli(`load -i ${archive}`)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^Error response from daemon: the archive contains no images.*\n$/),
      });
      expect((await ours.cli('load -i /nonexistent')).err).toBe(
        'mini-docker: open /nonexistent: no such file or directory\n',
      );
      // Of an empty standard input, too.
      expect((await ours.cli('load')).err).toContain('the archive contains no images');
      expect((await ours.cli('save nothing')).err).toBe(
        'Error response from daemon: No such image: nothing:latest\n',
      );
      expect((await ours.cli(['import', '-c', 'RUN x', archive])).err).toContain('RUN is not a valid change');
      expect(await ours.does('images -aq')).toBe(before);
      expect(temporary()).toEqual([]);
    });
  });

  describe.each(dockers)('$name', docker => {
    test('saves what we load, and loads what we save', async () => {
      const archive = join(scratch, 'exchange.tar');
      const id = await idOf('localhost:5000/team/two:1');
      for (const [writer, reader] of [
        [docker, ours],
        [ours, docker],
      ] as [CommandLine, CommandLine][]) {
        await writer.does(`save -o ${archive} localhost:5000/team/two:1 busybox`);
        await ours.does('rmi -f localhost:5000/team/two:1');
        expect((await reader.does(`load -i ${archive}`)).split('\n').sort()).toEqual([
          '',
          'Loaded image: busybox:latest',
          'Loaded image: localhost:5000/team/two:1',
        ]);
        expect(await idOf('localhost:5000/team/two:1')).toBe(id);
        rmSync(archive);
      }
    });

    test('pushes, pulls, imports, searches, shows history, prunes', async () => {
      await docker.does('tag busybox localhost:5000/docker/box:1');
      expect(await docker.does('push localhost:5000/docker/box:1')).toMatch(
        /^1: digest: sha256:\S+ size: \d+$/m,
      );
      await docker.does('rmi localhost:5000/docker/box:1');
      expect(await docker.does('pull localhost:5000/docker/box:1')).toMatch(
        /^1: Pulling from docker\/box\n[\s\S]*Status: Downloaded newer image for localhost:5000\/docker\/box:1\n/,
      );
      const archive = tarball('imported', { file: randomBytes(100) });
      const id = (await docker.does(['import', '-c', 'ENV a=b', '-m', 'why', archive, 'imported:1'])).trim();
      expect(await idOf('imported:1')).toBe(id);
      expect(await docker.does(['inspect', '-f', '{{.Config.Env}}', 'imported:1'])).toBe('[a=b]\n');
      expect(await docker.does('history --no-trunc imported:1')).toContain('why');
      expect(await docker.does('search localhost:5000/docker')).toContain('docker/box');
      const me = withHome(mkdtempSync(join(scratch, 'home-')), 'secret', [docker.name]);
      expect(await me('login -u me --password-stdin localhost:5001')).toMatchObject({
        code: 0,
        out: expect.stringContaining('Login Succeeded'),
      });
      await docker.does('tag busybox localhost:5001/docker/box:1');
      expect((await docker.cli('push localhost:5001/docker/box:1')).code).toBe(1);
      expect(await me('push localhost:5001/docker/box:1')).toMatchObject({ code: 0 });
      await docker.does('rmi localhost:5001/docker/box:1');
      // Another image takes the name: this one has none any more.
      await docker.does('tag busybox imported:1');
      expect(await docker.does('images -q --no-trunc --filter dangling=true')).toBe(`${id}\n`);
      expect(await docker.does('image prune -f')).toContain(`deleted: ${id}`);
      expect(await docker.does('rmi imported:1')).toBe('Untagged: imported:1\n');
    });
  });

  describe('on a terminal', () => {
    /** What a terminal of 150 columns shows. */
    async function terminal(command: string): Promise<string> {
      const { stdout } = await promisify(execFile)(
        'script',
        ['-qec', `stty cols 150; ${command}`, '/dev/null'],
        {
          env: { PATH: process.env.PATH, HOME: '/nonexistent', DOCKER_HOST: daemon.host, TERM: 'xterm' },
        },
      );
      return stdout;
    }
    const name = 'localhost:5000/team/bars:1';
    const bar = (status: string) => new RegExp(`[0-9a-f]{12}: ${status} {1,2}\\[=*>`);

    test('every layer has its bar: push, pull, save, load', { tags: 'further' }, async () => {
      await ours.does(['import', tarball('bars', { one: randomBytes(3_000_000) }), name]);
      const archive = join(scratch, 'bars.tar');
      const mini = `${NODE} ${MAIN}`;
      const pushed = await terminal(`${mini} push ${name}`);
      expect(pushed).toMatch(bar('Compressing'));
      expect(pushed).toMatch(bar('Pushing'));
      expect(pushed).toMatch(/[0-9a-f]{12}: Pushed/);
      expect(await terminal(`${mini} save -o ${archive} ${name}`)).toMatch(bar('Saving'));
      for (const command of [mini, ...dockers.map(each => each.name)]) {
        await ours.does(`rmi ${name}`);
        const pulled = await terminal(`${command} pull ${name}`);
        expect(pulled, command).toMatch(bar('(Downloading|Extracting)'));
        expect(pulled, command).toContain('Pull complete');
        await ours.does(`rmi ${name}`);
        expect(await terminal(`${command} load -i ${archive}`), command).toMatch(bar('Loading layer'));
      }
      rmSync(archive);
    });
  });

  describe('looking into images', () => {
    test('image layers shows what each layer adds, changes and deletes, and what is wasted', async () => {
      const id = await engine.run([
        'sh',
        '-c',
        'head -c 100000 /dev/zero >/big; echo x >>/etc/passwd; rm -r /var/spool',
      ]);
      expect(await engine.wait(id)).toBe(0);
      await ours.does(['commit', id, 'waste:1']);
      const name = (
        await engine.json<{ Id: string }>('POST', '/containers/create', {
          Image: 'waste:1',
          Cmd: ['rm', '/big'],
        })
      ).Id;
      await engine.json('POST', `/containers/${name}/start`);
      await engine.wait(name);
      await ours.does(['commit', name, 'waste:2']);
      for (const each of [id, name]) await engine.ask('DELETE', `/containers/${each}`);
      const { Layers, Hidden } = JSON.parse(await ours.does('image layers --format json waste:2'));
      const [bottom, middle, top] = Layers;
      expect(bottom).toMatchObject({ Changed: { Count: 0 }, Deleted: { Count: 0 } });
      expect(bottom.Hidden).toBeGreaterThan(0);
      expect(middle).toMatchObject({
        Hidden: 100_000,
        Added: { Count: 1, Size: 100_000, Largest: [{ Path: '/big', Size: 100_000 }] },
        Changed: { Count: 1, Largest: [{ Path: '/etc/passwd' }] },
      });
      expect(top).toMatchObject({
        Size: 0,
        Deleted: { Count: 1, Size: 100_000, Largest: [{ Path: '/big', Size: 100_000 }] },
      });
      expect(Hidden).toBe(100_000 + bottom.Hidden);
      const picture = await ours.does('image layers waste:2');
      expect(picture).toMatch(/^waste:2 \([0-9a-f]{12}\): 3 layers, /);
      expect(picture).toContain('- 1 deleted      100kB  /big');
      await ours.does('rmi waste:1 waste:2');
    });

    test('images are listed with digests, by name, label and age; prune removes unused ones', async () => {
      const archive = tarball('labelled', { file: randomBytes(10) });
      await ours.does(['import', '-c', 'LABEL team=red', archive, 'localhost:5000/labelled/x:1']);
      await ours.does('push -q localhost:5000/labelled/x:1');
      const [row] = (
        await ours.does([
          'images',
          '--digests',
          '--filter',
          'label=team=red',
          '--format',
          '{{.Repository}}:{{.Tag}} {{.Digest}}',
        ])
      ).split('\n');
      expect(row).toMatch(/^localhost:5000\/labelled\/x:1 sha256:[0-9a-f]{64}$/);
      const names = (filter: string) =>
        ours.does(['images', '--filter', filter, '--format', '{{.Repository}}']);
      expect(await names('since=busybox')).toContain('labelled');
      expect(await names('before=localhost:5000/labelled/x:1')).toContain('busybox');
      expect(await names('reference=*:5000/*/x')).toBe('localhost:5000/labelled/x\n');
      // Not those with another label, and none that a container stands on.
      expect(await ours.does('image prune -af --filter label=team=blue')).toContain(
        'Total reclaimed space: 0B',
      );
      const id = await engine.create(['true'], { Image: 'localhost:5000/labelled/x:1' });
      expect(await ours.does('image prune -af --filter label=team=red')).toContain('0B');
      await engine.ask('DELETE', `/containers/${id}`);
      expect(await ours.does('image prune -af --filter label=team=red')).toContain(
        'untagged: localhost:5000/labelled/x:1',
      );
      expect(await exists('localhost:5000/labelled/x:1')).toBe(false);
      expect(await exists('busybox')).toBe(true);
    });

    test('a container’s file system goes through export and import, and is flat', async () => {
      const id = await engine.run(['sh', '-c', 'echo mine >/mine']);
      await engine.wait(id);
      const archive = join(scratch, 'flat.tar');
      await ours.does(['export', '-o', archive, id]);
      await engine.ask('DELETE', `/containers/${id}`);
      await ours.does(['import', '-c', 'CMD cat /mine', archive, 'flat']);
      expect(await ours.does('run --rm --network none flat')).toBe('mine\n');
      expect(JSON.parse(await ours.does('image layers --format json flat')).Layers).toHaveLength(1);
      await ours.does('rmi flat');
    });

    test('the image that comes with the program comes again without a network', async () => {
      await ours.does('rmi -f busybox');
      await closed.stop();
      const { code, out } = await ours.cli('run --rm --network none busybox echo again');
      expect({ code, out }).toEqual({ code: 0, out: 'again\n' });
    });
  });
});
