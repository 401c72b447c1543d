// Docker's own clients drive the daemon: dockerode, and every `docker` command that is in the PATH.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';

let daemon: TestDaemon;
let docker: Docker;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  docker = new Docker({ socketPath: daemon.socket });
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-clients-'));
});

// The leftovers of a failed test must not disturb the next one.
afterEach(async () => {
  for (const { Id } of await docker.listContainers({ all: true })) {
    await docker.getContainer(Id).remove({ force: true });
  }
});

afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await daemon.stop();
});

/** A container that is removed at the end of the block. */
async function using(options: Docker.ContainerCreateOptions) {
  const container = await docker.createContainer({ Image: 'busybox', ...options });
  return Object.assign(container, {
    [Symbol.asyncDispose]: async () => {
      await container.remove({ force: true, v: true }).catch(error => {
        if (error.statusCode !== 404) throw error;
      });
    },
  });
}

function demuxed(stream: NodeJS.ReadableStream) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.on('end', () => {
    stdout.end();
    stderr.end();
  });
  return { stdout, stderr };
}

async function until(stream: Readable, wanted: string): Promise<string> {
  let heard = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    heard += chunk;
    if (heard.includes(wanted)) return heard;
  }
  throw new Error(`ended before ${wanted}: ${heard}`);
}

describe('dockerode', () => {
  test('asks for version, info and images', async () => {
    expect(await docker.version()).toMatchObject({ ApiVersion: '1.47', Os: 'linux' });
    expect(await docker.info()).toMatchObject({ OSType: 'linux' });
    expect((await docker.listImages()).flatMap(image => image.RepoTags)).toContain('busybox:latest');
  });

  test('attaches, writes input, and gets output and errors apart, all of them, and the exit code', async () => {
    await using container = await using({
      Cmd: ['sh', '-c', 'cat; echo error >&2; exit 3'],
      OpenStdin: true,
      StdinOnce: true,
    });
    const stream = await container.attach({
      stream: true,
      stdin: true,
      stdout: true,
      stderr: true,
      hijack: true,
    });
    const { stdout, stderr } = demuxed(stream);
    const waited = container.wait({ condition: 'next-exit' });
    await container.start();
    const input = 'line\n'.repeat(100_000);
    stream.end(input);
    const [out, err, { StatusCode }] = await Promise.all([text(stdout), text(stderr), waited]);
    expect(out === input, `${out.length} bytes came back`).toBe(true);
    expect({ err, StatusCode }).toEqual({ err: 'error\n', StatusCode: 3 });
  });

  test('runs with a terminal and resizes it', async () => {
    await using container = await using({ Cmd: ['sh'], Tty: true, OpenStdin: true });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
    await container.start();
    await container.resize({ h: 33, w: 111 });
    stream.write('stty size; exit 5\n');
    expect(await text(stream)).toContain('33 111\r\n');
    expect(await container.wait()).toMatchObject({ StatusCode: 5 });
  });

  test('runs a program in a container, with input and an exit code', async () => {
    await using container = await using({ Cmd: ['sleep', '1000'] });
    await container.start();
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'cat; echo $NAME >&2; exit 4'],
      Env: ['NAME=value'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const { stdout, stderr } = demuxed(stream);
    stream.end('typed');
    expect(await Promise.all([text(stdout), text(stderr)])).toEqual(['typed', 'value\n']);
    await expect.poll(async () => (await exec.inspect()).ExitCode).toBe(4);
    await expect(exec.start({})).rejects.toMatchObject({ statusCode: 409 });
  });

  test('follows logs until the container ends, and leaves earlier without harm', async () => {
    await using container = await using({
      Cmd: ['sh', '-c', 'echo one; read x; echo two'],
      OpenStdin: true,
    });
    await container.start();
    const leaver = (await container.logs({ follow: true, stdout: true })) as unknown as Readable;
    await until(leaver, 'one\n');
    leaver.destroy();
    const follower = await container.logs({ follow: true, stdout: true, stderr: true, timestamps: true });
    const { stdout } = demuxed(follower);
    const stdin = await container.attach({ stream: true, stdin: true, hijack: true });
    stdin.end('\n');
    const stamp = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z';
    expect(await text(stdout)).toMatch(new RegExp(`^${stamp} one\\n${stamp} two\\n$`));
    expect((await container.logs({ stdout: true, tail: 1 })).subarray(8).toString()).toBe('two\n');
  });

  test('streams stats and events, and events of the past come first', async () => {
    const since = Math.floor(Date.now() / 1000) - 1;
    await using container = await using({ Cmd: ['sleep', '1000'] });
    await container.start();
    const stats = (await container.stats({ stream: true })) as unknown as Readable;
    const line = JSON.parse(await until(stats, '\n'));
    stats.destroy();
    expect(line.memory_stats.usage).toBeGreaterThan(0);
    expect(await container.stats({ stream: false })).toMatchObject({ id: container.id });
    const events = (await docker.getEvents({ since, filters: { container: [container.id] } })) as Readable;
    await container.kill();
    const actions = (await until(events, '"die"'))
      .trim()
      .split('\n')
      .map(each => JSON.parse(each).Action);
    events.destroy();
    expect(actions).toEqual(expect.arrayContaining(['create', 'start', 'kill', 'die']));
  });

  test('a container that prints without end leaves the others their turn', async () => {
    const timeOfOne = async () => {
      const began = performance.now();
      await using quiet = await using({ Cmd: ['true'] });
      await quiet.start();
      expect(await quiet.wait()).toEqual({ StatusCode: 0 });
      await quiet.remove();
      return performance.now() - began;
    };
    const alone = await timeOfOne();
    await using noisy = await using({ Cmd: ['yes'] });
    await noisy.start();
    expect(await timeOfOne()).toBeLessThan(1000 + 5 * alone);
  });

  test('copies files in and out', async () => {
    await using container = await using({ Cmd: ['cat', '/tmp/in/file'] });
    const tar = pack();
    tar.entry({ name: 'in', type: 'directory' });
    tar.entry({ name: 'in/file' }, 'content\n');
    tar.finalize();
    await container.putArchive(tar as unknown as NodeJS.ReadableStream, { path: '/tmp' });
    await container.start();
    await container.wait();
    expect((await container.logs({ stdout: true })).subarray(8).toString()).toBe('content\n');
    const out = await container.getArchive({ path: '/tmp/in/file' });
    expect(await text(out)).toContain('content\n');
    expect((await container.infoArchive({ path: '/tmp/in/file' })).headers).toHaveProperty(
      'x-docker-container-path-stat',
    );
    await expect(container.getArchive({ path: '/nope' })).rejects.toMatchObject({ statusCode: 404 });
  });

  test('removes containers, which are then not found any more', async () => {
    await using container = await using({ Cmd: ['sleep', '1000'], name: 'short-lived' });
    await container.start();
    await expect(container.start()).rejects.toMatchObject({ statusCode: 304 });
    await expect(container.remove()).rejects.toMatchObject({ statusCode: 409 });
    await container.remove({ force: true });
    await expect(container.inspect()).rejects.toMatchObject({ statusCode: 404 });
    expect(await docker.listContainers({ all: true, filters: { name: ['short-lived'] } })).toEqual([]);
  });

  test('a name that is in use, an unknown image and a bad signal have their statuses', async () => {
    await using container = await using({ Cmd: ['sleep', '1000'], name: 'taken' });
    await expect(using({ name: 'taken' })).rejects.toMatchObject({ statusCode: 409 });
    await expect(using({ Image: 'no-such-image' })).rejects.toMatchObject({ statusCode: 404 });
    await container.start();
    await expect(container.kill({ signal: 'SIGNOTHING' })).rejects.toMatchObject({ statusCode: 400 });
  });
});

const commands = [
  ...new Set(
    process.env
      .PATH!.split(delimiter)
      .map(directory => join(directory, 'docker'))
      .filter(existsSync)
      .map(path => realpathSync(path)),
  ),
];

test.skipIf(commands.length > 0)(
  'the docker command drives the daemon (skipped: it is not installed)',
  () => {},
);

describe.each(commands)('%s', command => {
  interface Ran {
    code: number | null;
    out: string;
    err: string;
  }

  /** `open`: its input stays open until it has ended by itself. */
  function cli(args: string | string[], input?: string, { open = false } = {}): Promise<Ran> {
    const words = typeof args === 'string' ? args.split(' ') : args;
    const child = spawn(command, words, {
      env: { PATH: process.env.PATH, HOME: scratch, DOCKER_HOST: daemon.host },
    });
    child.stdin.on('error', () => {});
    if (open) child.stdin.write(input ?? '');
    else child.stdin.end(input);
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    return new Promise((resolve, reject) => {
      const ran = Promise.all([text(child.stdout), text(child.stderr)]);
      child.on('error', reject);
      child.on('close', async code => {
        clearTimeout(late);
        const [out, err] = await ran;
        resolve({ code, out, err });
      });
    });
  }

  /** What it printed, once it went well. */
  async function does(args: string | string[], input?: string): Promise<string> {
    const { code, out, err } = await cli(args, input);
    expect({ args, code, err }).toEqual({ args, code: 0, err: '' });
    return out;
  }

  test('version, info, images, ps, system df', async () => {
    expect(await does('version')).toContain('Server');
    expect((await cli('info')).code).toBe(0);
    expect(await does('images --format {{.Repository}}:{{.Tag}}')).toContain('busybox:latest');
    expect(await does('ps -a')).toContain('CONTAINER ID');
    expect(await does('system df')).toContain('Images');
  });

  test('run gives output, passes input and exits as the program does', async () => {
    expect(await does('run --rm busybox echo hello')).toBe('hello\n');
    const input = 'x'.repeat(99_999);
    expect((await does('run --rm -i busybox cat', input)) === input).toBe(true);
    const failing = await cli(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect(failing).toEqual({ code: 7, out: 'out\n', err: 'err\n' });
    expect(await does('run --rm -t busybox tty')).toBe('/dev/pts/0\r\n');
  });

  test('run exits with 127 for a missing program, 126 for one that cannot run, and 125 for errors of the daemon', async () => {
    expect(await cli('run --rm busybox nothing')).toMatchObject({ code: 127 });
    expect(await cli('run --rm busybox /etc/passwd')).toMatchObject({ code: 126 });
    expect(await cli('run --rm --memory 1 busybox true')).toMatchObject({ code: 125 });
    expect(await cli('run --rm no-such-image true')).toMatchObject({ code: 125 });
    expect(await does('ps -aq')).toBe('');
  });

  test('a container lives: run -d to rm', async () => {
    const id = (
      await does(['run', '-d', '--name', 'life', 'busybox', 'sh', '-c', 'echo up; exec sleep 1000'])
    ).trim();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await does('ps --format {{.Names}}')).toBe('life\n');
    expect(await does(['inspect', '-f', '{{.State.Running}} {{.Name}}', 'life'])).toBe('true /life\n');
    expect(await does('logs life')).toBe('up\n');
    expect(await does('top life')).toContain('sleep 1000');
    expect(await does('stats --no-stream life')).toContain('life');
    expect(await does('exec life echo from inside')).toBe('from inside\n');
    expect(await does('exec -i life cat', 'typed')).toBe('typed');
    expect(await cli(['exec', 'life', 'sh', '-c', 'exit 9'])).toMatchObject({ code: 9 });
    expect(await cli('exec life nothing')).toMatchObject({ code: 127 });
    expect(await does('exec life touch /new')).toBe('');
    expect(await does('diff life')).toContain('A /new');
    expect(await does('pause life')).toBe('life\n');
    expect(await does('ps --format {{.Status}}')).toContain('(Paused)');
    expect(await does('unpause life')).toBe('life\n');
    expect(await does('update --memory 64m --memory-swap -1 life')).toBe('life\n');
    expect(await does('rename life afterlife')).toBe('');
    expect(await does('restart -t 0 afterlife')).toBe('afterlife\n');
    expect(await does('stop -t 0 afterlife')).toBe('afterlife\n');
    expect(await does('wait afterlife')).toBe('137\n');
    expect(await does('start afterlife')).toBe('afterlife\n');
    expect(await does('kill -s KILL afterlife')).toBe('afterlife\n');
    expect(await does('rm -f afterlife')).toBe('afterlife\n');
    expect(await does('ps -aq')).toBe('');
  });

  test('logs -f follows to the end; attach delivers output; events report the changes', async () => {
    const since = Math.floor(Date.now() / 1000);
    await does([
      'run',
      '-d',
      '-i',
      '--name',
      'talker',
      'busybox',
      'sh',
      '-c',
      'echo one; read x; echo two $x',
    ]);
    // What was read before is not for a client that attaches later.
    await expect.poll(async () => (await cli('logs talker')).out, { timeout: 10_000 }).toBe('one\n');
    const following = cli('logs -f talker');
    const attached = cli('attach talker', 'typed\n', { open: true });
    expect(await attached).toMatchObject({ code: 0, out: 'two typed\n' });
    expect(await following).toMatchObject({ code: 0, out: 'one\ntwo typed\n' });
    const events = await does(
      `events --since ${since} --until ${Math.floor(Date.now() / 1000) + 1} --filter container=talker`,
    );
    expect(events).toMatch(/container create[\s\S]*container start[\s\S]*container die/);
    await does('rm talker');
  });

  test('cp copies both ways, also through pipes', async () => {
    await does('run -d --name files busybox sleep 1000');
    const from = join(scratch, 'from');
    mkdirSync(join(from, 'below'), { recursive: true });
    writeFileSync(join(from, 'below', 'file'), 'content\n');
    expect((await cli(`cp ${from} files:/tmp`)).code).toBe(0);
    expect(await does('exec files cat /tmp/from/below/file')).toBe('content\n');
    const to = join(scratch, 'to');
    expect((await cli(`cp files:/tmp/from ${to}`)).code).toBe(0);
    expect(readFileSync(join(to, 'below/file'), 'utf8')).toBe('content\n');
    expect((await cli('cp files:/tmp/from -')).out).toContain('content\n');
    expect((await cli('cp files:/nope -')).code).toBe(1);
    rmSync(to, { recursive: true });
    expect(await does('rm -f files')).toBe('files\n');
  });

  test('create, start -a, export, port and prune', async () => {
    await does('create --name late busybox echo late');
    expect(await does('start -a late')).toBe('late\n');
    expect((await cli('export late')).out).toContain('bin/busybox');
    expect(await does('container prune -f')).toContain('Deleted Containers');
    expect(await does('ps -aq')).toBe('');
  });

  test('images: tag, inspect, history, rmi, pull', async () => {
    expect(await does('tag busybox team/copy:1')).toBe('');
    expect(await does(['image', 'inspect', '-f', '{{.Os}}', 'team/copy:1'])).toBe('linux\n');
    expect(await does('history -q busybox')).not.toBe('');
    expect(await does('rmi team/copy:1')).toBe('Untagged: team/copy:1\n');
    // There is no registry in the daemon's network.
    expect(await cli('pull alpine')).toMatchObject({ code: 1, err: expect.stringContaining('alpine') });
  });
});
