// The command, as a user has it: arguments, streams, exit codes, files.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';

let daemon: TestDaemon;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-command-'));
});

afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await daemon.stop();
});

interface Done {
  code: number | null;
  out: string;
  err: string;
}

function start(args: string[], env: Record<string, string> = {}) {
  return spawn(NODE, ['--', MAIN, ...args], {
    env: { ...process.env, DOCKER_HOST: daemon.host, ...env },
    cwd: scratch,
  });
}

async function run(args: string[], input?: string | Buffer): Promise<Done> {
  const child = start(args);
  const out: Buffer[] = [];
  let err = '';
  child.stdout.on('data', chunk => out.push(chunk));
  child.stderr.on('data', chunk => {
    err += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, out: Buffer.concat(out).toString('latin1'), err };
}

const md = (line: string, input?: string | Buffer) => run(line.split(' '), input);

/** A container that sleeps, removed behind the test. */
async function sleeper(...flags: string[]) {
  const { out, code, err } = await run(['run', '-d', ...flags, 'busybox', 'sleep', '1000']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const id = out.trim();
  return { id, [Symbol.asyncDispose]: async () => void (await md(`rm -f ${id}`)) };
}

describe('run', () => {
  test.each([
    [['true'], 0],
    [['sh', '-c', 'exit 7'], 7],
    [['no-such-program'], 127],
    [['/no/such/program'], 127],
    [['/etc'], 126],
    [['/etc/passwd'], 126],
  ])('%j ends with %d', async (command, code) => {
    expect(await run(['run', '--rm', 'busybox', ...command])).toMatchObject({ code });
  });

  test('output goes where the program wrote it', async () => {
    const done = await run(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2']);
    expect(done).toEqual({ code: 0, out: 'out\n', err: 'err\n' });
  });

  test('the program reads to the end of its input, and its answer comes after that', async () => {
    expect(await md('run -i --rm busybox wc -c', Buffer.alloc(3_000_000, 'x'))).toMatchObject({
      out: '3000000\n',
    });
  });

  test('a reader that is slow loses nothing', async () => {
    const child = start(['run', '--rm', 'busybox', 'sh', '-c', 'head -c 5000000 /dev/zero']);
    await sleep(1500);
    let bytes = 0;
    for await (const chunk of child.stdout) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(5_000_000);
  });

  test('signals reach the program', async () => {
    const script = 'trap "echo got; exit 5" TERM; echo ready; while :; do sleep .05; done';
    const child = start(['run', '--rm', 'busybox', 'sh', '-c', script]);
    const [ready] = await once(child.stdout, 'data');
    expect(String(ready)).toBe('ready\n');
    child.kill('SIGTERM');
    const [[rest], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'close')]);
    expect([String(rest), code]).toEqual(['got\n', 5]);
  });

  test("a program ended by a signal gives 128 and the signal's number", async () => {
    await using container = await sleeper();
    const waiting = md(`wait ${container.id}`);
    await md(`kill ${container.id}`);
    expect((await waiting).out).toBe('137\n');
  });

  test('--rm has removed the container when the command ends', async () => {
    await md('run --rm --name gone busybox true');
    expect((await md('ps -aq --filter name=gone')).out).toBe('');
  });

  test('-d prints the id and leaves it running, --cidfile writes it', async () => {
    await using container = await sleeper('--name', 'bg', '--cidfile', `${scratch}/cid`);
    expect(container.id).toMatch(/^[0-9a-f]{64}$/);
    expect(readFileSync(`${scratch}/cid`, 'utf8')).toBe(container.id);
    expect((await run(['inspect', '-f', '{{.State.Running}} {{.Name}}', 'bg'])).out).toBe('true /bg\n');
  });

  test('--env-file is ours and not that of the Node that runs us', async () => {
    writeFileSync(`${scratch}/env`, 'FROM_FILE=1\n');
    const { out } = await run([
      'run',
      '--rm',
      '--env-file',
      `${scratch}/env`,
      'busybox',
      'sh',
      '-c',
      'echo $FROM_FILE',
    ]);
    expect(out).toBe('1\n');
  });

  test('--explain prints the calls and makes nothing', async () => {
    const { out, code } = await run(['run', '--explain', '--json', '--name', 'explained', 'busybox', 'true']);
    const steps = JSON.parse(Buffer.from(out, 'latin1').toString()) as { call: string; by: string }[];
    expect(code).toBe(0);
    expect(steps.map(each => each.call.split('(')[0])).toEqual(
      expect.arrayContaining(['clone', 'mount', 'chroot', 'execve']),
    );
    expect((await md('ps -aq --filter name=explained')).out).toBe('');
  });

  test('--trace shows results on stderr, and --rm still removes', async () => {
    const { out, err, code } = await run([
      'run',
      '--rm',
      '--trace',
      '--name',
      'traced',
      'busybox',
      'echo',
      'hi',
    ]);
    expect({ out, code }).toEqual({ out: 'hi\n', code: 0 });
    expect(err).toMatch(/^ +\d+ {2}clone\(/m);
    expect(err).toMatch(/ = \d+ </);
    expect((await md('ps -aq --filter name=traced')).out).toBe('');
  });
});

describe('mistakes are one line that says what to do', () => {
  test.each([
    [
      'rnu busybox',
      1,
      "mini-docker: unknown command: mini-docker rnu; did you mean 'mini-docker run'? (see 'mini-docker --help')",
    ],
    [
      'compose publish registry/app',
      1,
      "mini-docker: there is no command mini-docker compose publish: pass the project on as its files ('mini-docker compose config' prints them as one), and its images with 'mini-docker compose push'",
    ],
    [
      'run --memroy 5m busybox',
      125,
      "mini-docker: unknown flag: --memroy; did you mean --memory? (see 'mini-docker run --help')",
    ],
    [
      'run --memory much busybox',
      125,
      `mini-docker: invalid argument "much" for "-m, --memory" flag: invalid size: 'much' (see 'mini-docker run --help')`,
    ],
    ['run', 1, "mini-docker: 'mini-docker run' requires at least 1 argument (see 'mini-docker run --help')"],
    ['run --pull never nope', 125, 'mini-docker: Error response from daemon: No such image: nope:latest'],
    ['run -it busybox', 1, 'mini-docker: the input device is not a TTY'],
    [
      'run --rm --mount type=bind,source=/no/such,target=/x busybox true',
      125,
      'mini-docker: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: /no/such',
    ],
    [
      'run --rm busybox nope',
      127,
      'mini-docker: Error response from daemon: failed to create task for container: exec: "nope": executable file not found in $PATH',
    ],
    ['logs nope', 1, 'Error response from daemon: No such container: nope'],
    ['inspect -f {{.Foo nope', 64, 'mini-docker: template parsing error: template: :1: unclosed action'],
    ['ps --format {{.Foo}} -a', 0, ''],
    ['cp a b', 1, 'mini-docker: must specify at least one container source'],
    [
      '-H ssh://x ps',
      1,
      'mini-docker: unable to parse docker host "ssh://x": it must be unix:///PATH or tcp://HOST:PORT',
    ],
    [
      '-H unix:///no/such/socket ps',
      1,
      'mini-docker: Cannot connect to the Docker daemon at unix:///no/such/socket. Is the docker daemon running?',
    ],
  ])('%s', async (line, code, message) => {
    const done = await md(line);
    expect({ code: done.code, err: done.err }).toEqual({ code, err: message === '' ? '' : `${message}\n` });
  });
});

describe('cp', () => {
  test('files and directories go in and come out as they were', async () => {
    await using container = await sleeper();
    mkdirSync(`${scratch}/tree/below`, { recursive: true });
    writeFileSync(`${scratch}/tree/file`, 'content', { mode: 0o640 });
    symlinkSync('file', `${scratch}/tree/link`);
    expect(await md(`cp tree ${container.id}:/tmp/copy`)).toMatchObject({ code: 0, err: '' });
    expect(await md(`cp tree/. ${container.id}:/tmp`)).toMatchObject({ code: 0, err: '' });
    const script = 'cd /tmp; find . | sort; stat -c %a file; cat copy/link';
    const { out } = await run(['exec', container.id, 'sh', '-c', script]);
    const names = [
      '.',
      './below',
      './copy',
      './copy/below',
      './copy/file',
      './copy/link',
      './file',
      './link',
    ];
    expect(out.split('\n')).toEqual([...names, '640', 'content']);
    expect(await md(`cp ${container.id}:/tmp/copy back`)).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(`${scratch}/back`).sort()).toEqual(['below', 'file', 'link']);
    expect(readFileSync(`${scratch}/back/link`, 'utf8')).toBe('content');
    expect(await md(`cp ${container.id}:/tmp/copy back`)).toMatchObject({ code: 0 });
    expect(existsSync(`${scratch}/back/copy/file`)).toBe(true);
  });

  test('an archive comes from stdin and goes to stdout', async () => {
    await using container = await sleeper();
    const archive = pack();
    archive.entry({ name: 'from-stdin' }, 'hello');
    archive.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of archive as unknown as Readable) chunks.push(chunk as Buffer);
    expect(await md(`cp - ${container.id}:/tmp`, Buffer.concat(chunks))).toMatchObject({ code: 0, err: '' });
    expect((await md(`cp ${container.id}:/tmp/from-stdin -`)).out).toContain('hello');
  });
});

describe('looking', () => {
  test('ps, inspect, logs, top, port and diff tell of a container', async () => {
    const script = 'echo one; echo two >&2; touch /made; sleep 1000; :';
    const { out: id } = await run([
      'run',
      '-d',
      '--name',
      'seen',
      '-l',
      'a=b',
      'busybox',
      'sh',
      '-c',
      script,
    ]);
    try {
      await expect.poll(async () => (await md('logs seen')).err).toBe('two\n');
      expect((await md('logs -n 1 seen')).out + (await md('logs -n 2 seen')).out).toContain('one\n');
      const line = (
        await run(['ps', '--format', '{{.ID}}|{{.Names}}|{{.Label "a"}}|{{.Command}}', '--no-trunc'])
      ).out;
      expect(line).toBe(`${id.trim()}|seen|b|${JSON.stringify(`sh -c '${script}'`)}\n`);
      expect((await md('ps')).out.split('\n')[0]).toMatch(
        /^CONTAINER ID {3}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/,
      );
      expect((await md('diff seen')).out).toContain('A /made\n');
      expect((await md('top seen')).out).toMatch(/^UID +PID .*\n.*sh -c/);
      const pid = (await run(['inspect', '-f', '{{.State.Pid}}', 'seen'])).out.trim();
      expect(existsSync(`/proc/${pid}`)).toBe(true);
      expect((await run(['stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', 'seen'])).out).toBe(
        'seen 2\n',
      );
    } finally {
      await md('rm -f seen');
    }
  });

  test('logs -f ends with the container', async () => {
    await run(['run', '-d', '--name', 'followed', 'busybox', 'sh', '-c', 'echo a; sleep .5; echo b']);
    expect(await md('logs -f followed')).toEqual({ code: 0, out: 'a\nb\n', err: '' });
    expect((await md('wait followed')).out).toBe('0\n');
    expect((await md('rm followed')).out).toBe('followed\n');
  });

  test('exec ends with the code of its command, and reads what we send', async () => {
    await using container = await sleeper();
    expect(await run(['exec', container.id, 'sh', '-c', 'echo $0; exit 3'])).toMatchObject({
      code: 3,
      out: 'sh\n',
    });
    expect(await run(['exec', '-i', container.id, 'cat'], 'typed')).toMatchObject({ code: 0, out: 'typed' });
    expect(await run(['exec', container.id, 'nope'])).toMatchObject({
      code: 127,
      err: expect.stringMatching(/exec failed: .*"nope": executable file not found in \$PATH/),
    });
    expect(
      (await run(['exec', '-e', 'A=1', '-w', '/tmp', container.id, 'sh', '-c', 'echo $A; pwd'])).out,
    ).toBe('1\n/tmp\n');
  });
});
