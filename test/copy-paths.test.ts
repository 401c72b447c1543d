// What `cp` means by a path, in Docker's words: https://docs.docker.com/reference/cli/docker/container/cp/. The values
// are those of dockerd 20.10 with the docker command.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../mini-docker/linux/call.ts';
import { fsetxattr } from '../mini-docker/linux/syscalls.ts';
import { xattr } from '../mini-docker/linux/xattrs.ts';
import { commandLines } from './support/command-lines.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;
let running: string;

/** file F, d/x, d/sub/y; links: lf → f, ld → d, la → /s/d, lx → nothing. */
const TREE = `mkdir -p /s/d/sub; cd /s; echo F >f; echo X >d/x; echo Y >d/sub/y
ln -s f lf; ln -s d ld; ln -s /s/d la; ln -s gone lx; ln -s d/sub ls; touch /ready; exec sleep 1000`;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  running = await engine.run(['sh', '-c', TREE]);
  await eventually(
    () => archive('/ready'),
    ({ status }) => status === 200,
  );
}, 60_000);
afterAll(() => daemon.stop());

const archive = (path: string, container = running) =>
  engine.ask('GET', `/containers/${container}/archive?path=${encodeURIComponent(path)}`);

async function entries(path: string, container = running): Promise<string[]> {
  const { status, body } = await archive(path, container);
  expect([path, status]).toEqual([path, 200]);
  return execFileSync('tar', ['tP'], { input: body, encoding: 'utf8' }).trim().split('\n');
}

describe("an archive's entries are called as the path says", () => {
  const whole = (name: string) => [`${name}/`, `${name}/sub/`, `${name}/sub/y`, `${name}/x`];
  test.for([
    ['/s/d', whole('d')],
    ['s/d', whole('d')],
    ['/s/d/', whole('d')],
    ['/s/d/.', whole('.')],
    ['//s//d//.', whole('.')],
    ['/s/d/sub/..', whole('d')],
    ['/s/ld/', whole('ld')],
    ['/s/ld/.', whole('.')],
    ['/s/la/.', whole('.')],
    ['/s/ld', ['ld']],
    ['/s/lx', ['lx']],
    ['/s/f', ['f']],
    // A name is taken off before a link is followed.
    ['/s/ls/../f', ['f']],
  ] as const)('%s', async ([path, expected]) => {
    expect(await entries(path)).toEqual(expected);
  });

  test.for([
    ['/', '/bin/'],
    ['/..', '/bin/'],
    ['.', './bin/'],
    ['/.', './bin/'],
  ] as const)('%s, without what the kernel shows in /proc, /sys and /dev', async ([path, bin]) => {
    const names = await entries(path);
    expect(names).toContain(bin);
    const prefix = bin.slice(0, -4);
    expect(names.filter(name => /^\.?\/(proc|sys|dev)\//.test(name))).toEqual(
      ['dev/', 'proc/', 'sys/'].map(name => prefix + name),
    );
  });

  test.for(['/s/lx/', '/s/none', '/s/none/.'])('%s is not there', async path => {
    expect((await archive(path)).status).toBe(404);
  });

  test.for(['/s/f/', '/s/f/.', '/s/lf/', '/s/f/x'])('%s leads through a file', async path => {
    expect((await archive(path)).status).toBe(400);
  });
});

describe('an export has the files of the layers alone', () => {
  test('not what is mounted in them, while it runs and afterwards', async () => {
    const id = await engine.run(
      ['sh', '-c', 'echo >/mounted/file; echo >/own; touch /ready; exec sleep 1000'],
      {
        HostConfig: { Tmpfs: { '/mounted': '' } },
      },
    );
    await eventually(
      () => archive('/ready', id),
      ({ status }) => status === 200,
    );
    const names = async () => {
      const { body } = await engine.ask('GET', `/containers/${id}/export`);
      return execFileSync('tar', ['t'], { input: body, encoding: 'utf8' }).split('\n');
    };
    const alive = await names();
    expect(alive).toEqual(expect.arrayContaining(['own', 'mounted/', 'proc/', 'bin/busybox']));
    expect(alive.filter(name => /^(mounted|proc|sys)\/./.test(name))).toEqual([]);
    await engine.json('POST', `/containers/${id}/kill`);
    await engine.wait(id);
    expect(await names()).toEqual(alive);
  });

  test('as the container has them mounted: overlay expects no change in layers that it is given twice', async () => {
    const { Pid } = (await engine.inspect(running)).State;
    const devices = () =>
      readdirSync(`/proc/${daemon.pid}/fd`).map(
        fd => statSync(`/proc/${daemon.pid}/fd/${fd}`, { throwIfNoEntry: false })?.dev,
      );
    const { dev } = statSync(`/proc/${Pid}/root`);
    await expect.poll(devices).not.toContain(dev);
    const reply = await engine.open('GET', `/containers/${running}/export`);
    try {
      expect(devices()).toContain(dev);
    } finally {
      reply.destroy();
    }
  });
});

test('a copy while a container is being started waits for its root, and finds nothing of this machine', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'copy-'));
  writeFileSync(join(scratch, 'secret'), '');
  // Many mounts make the start long enough to meet.
  const Binds = Array.from({ length: 200 }, (_, index) => `/usr:/many/${index}`);
  const id = await engine.create(['sleep', '1000'], { HostConfig: { Binds } });
  const statuses = new Set<number>();
  for (let round = 0; round < 5; round++) {
    let over = false;
    const started = engine.json('POST', `/containers/${id}/start`).finally(() => {
      over = true;
    });
    while (!over) statuses.add((await archive(join(scratch, 'secret'), id)).status);
    await started;
    const last = await engine.ask('HEAD', `/containers/${id}/archive?path=/many/199/bin`);
    expect(last.status).toBe(200);
    await engine.json('POST', `/containers/${id}/kill`);
    await engine.wait(id);
  }
  expect([...statuses]).toEqual([404]);
  rmSync(scratch, { recursive: true });
});

describe.for(commandLines(() => daemon))('$name puts it where the target says', ({ cli }) => {
  let here: string;
  beforeAll(() => {
    here = mkdtempSync(join(tmpdir(), 'mini-docker-copy-'));
  });
  afterAll(() => rmSync(here, { recursive: true }));

  /** Directory D, file E, links to them and to nothing. */
  function makeTargets(): string {
    const target = join(here, 'target');
    rmSync(target, { recursive: true, force: true });
    mkdirSync(join(target, 'D'), { recursive: true });
    writeFileSync(join(target, 'E'), 'E');
    for (const [name, to] of Object.entries({ LD: 'D', LE: 'E', LX: 'new' }))
      symlinkSync(to, join(target, name));
    return target;
  }

  test.for<[flags: string, from: string, to: string, made: string | undefined]>([
    ['', 'd/.', 'D', 'D/x'],
    ['', 'd/.', 'N', 'N/x'],
    ['', 'd', 'LD', 'D/d/x'],
    ['', 'ld/.', 'LD', 'D/x'],
    ['', 'd/sub/..', 'D', 'D/d/x'],
    ['', 'd', 'LX', 'new/x'],
    ['', 'd', 'N/.', undefined],
    ['', 'd', 'E', undefined],
    ['', 'f', 'N/', undefined],
    ['', 'f', 'LE', 'E'],
    ['-L', 'lf', 'D', 'D/lf'],
    ['-L', 'ld', 'D', 'D/ld/x'],
  ])('cp %s %s %s', async ([flags, from, to, made]) => {
    const target = makeTargets();
    const { code } = await cli([
      'cp',
      ...flags.split(' ').filter(Boolean),
      `${running}:/s/${from}`,
      `${target}/${to}`,
    ]);
    expect(code).toBe(made === undefined ? 1 : 0);
    if (made !== undefined) expect(readFileSync(join(target, made), 'utf8')).toMatch(/^[FX]\n$/);
  });

  test('a link to a directory of this machine is followed by /.', async () => {
    const source = makeTargets();
    writeFileSync(join(source, 'D/mine'), 'M\n');
    expect((await cli(['cp', `${source}/LD/.`, `${running}:/s/d`])).code).toBe(0);
    expect(await entries('/s/d/mine')).toEqual(['mine']);
  });

  test('capabilities of a program go with it', async () => {
    const program = join(here, 'program');
    copyFileSync(createRequire(import.meta.url).resolve('busybox-static/bin/busybox'), program);
    chmodSync(program, 0o755);
    const fd = openSync(program, 'r');
    call(
      fsetxattr(fd, 'security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex'), 0),
    );
    closeSync(fd);
    const id = await engine.create(['true']);
    expect((await cli(['cp', program, `${id}:/program`])).code).toBe(0);
    const inspected = await engine.json<{ GraphDriver: { Data: { UpperDir: string } } }>(
      'GET',
      `/containers/${id}/json`,
    );
    const copied = openSync(join(inspected.GraphDriver.Data.UpperDir, 'program'), 'r');
    expect(xattr(copied, 'security.capability')).toHaveLength(20);
    closeSync(copied);
    await engine.json('DELETE', `/containers/${id}`);
  });
});

test('names that are not UTF-8 keep their bytes in both directions, in arguments and below them', () => {
  const script = String.raw`set -e; b=$(printf '\377\303(')
mkdir -p "in$b/d$b"; echo one >"in$b/d$b/f$b"; ln -s "f$b" "in$b/d$b/l$b"; ln "in$b/d$b/f$b" "in$b/d$b/h$b"
run cp "in$b/d$b" "$id:/to$b"; run cp "$id:/to$b" "out$b"; diff -r "in$b/d$b" "out$b"; readlink "out$b/l$b"
run cp -L "$id:/to$b/l$b" "copy$b"; cat "copy$b"; run cp "$id:/to$b/l$b" - | tar t --quoting-style=literal
echo two >"two$b"; run cp -L "two$b" "$id:/to$b/l$b"; run exec "$id" sh -c 'cd /to*; cat f*; for i in *; do echo "$i"; done'; rm "in$b/d$b/h$b"
printf 'FROM busybox\nCOPY / /built/\nRUN test -L "$(printf "/built/d\\377\\303(/l\\377\\303(")"\n' >"in$b/Dockerfile"
run build -q "in$b" >/dev/null`;
  const run = `run() { DOCKER_HOST=${daemon.host} ${NODE} ${MAIN} "$@"; }; id=${running}\n`;
  const cwd = mkdtempSync(join(tmpdir(), 'bytes-'));
  let out = '';
  try {
    out = execFileSync('sh', ['-c', run + script], { cwd, encoding: 'latin1' });
  } finally {
    rmSync(cwd, { recursive: true });
  }
  const [f, h, l] = ['f', 'h', 'l'].map(letter => `${letter}\xff\xc3(\n`);
  expect(out).toBe(`${f}one\n${l}two\n${f}${h}${l}`);
});
