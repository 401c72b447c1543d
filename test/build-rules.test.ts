// What a Dockerfile means, as dockerd 20.10's classic builder answers; and what BuildKit's documentation says of what the
// classic builder does not know. Everything goes over the API of one daemon.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTarReader } from '../mini-docker/formats/tar/reader.ts';
import { type Built, buildOf, type ContextFile, post } from './support/building.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
}, 60_000);
afterAll(() => daemon.stop());

const build = (dockerfile: string, files: Record<string, ContextFile> = {}, query = ''): Promise<Built> =>
  buildOf(daemon, { ...files, Dockerfile: dockerfile }, query);

/** What the last RUN printed. */
async function printed(dockerfile: string, files?: Record<string, ContextFile>): Promise<string[]> {
  const { text, error } = await build(dockerfile, files);
  expect(error).toBe(undefined);
  const last = text.slice(text.lastIndexOf(' ---> Running in'));
  return last.split('\n').filter(line => line !== '' && !/^ --->|^Removing|^Successfully/.test(line));
}

interface Inspected {
  Config: { Env: string[]; Cmd: string[]; Volumes: object; ExposedPorts: object };
  Author: string;
}

async function inspected(dockerfile: string): Promise<Inspected> {
  const { id, error } = await build(dockerfile, { a: 'a' });
  expect(error).toBe(undefined);
  return engine.json<Inspected>('GET', `/images/${id}/json`);
}

describe('stages', () => {
  test('FROM and COPY --from name stages by variables, of the platform too', async () => {
    const dockerfile = `ARG B=one
FROM busybox AS one
RUN echo 1 > /one
FROM $B AS two
RUN cp /one /two
FROM busybox AS stage-amd64
RUN echo s > /s
FROM busybox AS stage-arm64
RUN echo s > /s
FROM stage-\${TARGETARCH} AS chosen
FROM busybox
ARG A=sen
COPY --from=stage-\${TARGETARCH}  /s /s
COPY --from=cho$A /s /t
COPY --from=two /two /
RUN cat /s /t /two`;
    expect(await printed(dockerfile)).toEqual(['s', 's', '1']);
  });

  test('a flag of a stage that is not needed is no error', async () => {
    const dockerfile = 'FROM busybox AS no\nRUN --security=insecure x\nFROM busybox\nRUN echo yes';
    expect(await printed(dockerfile)).toEqual(['yes']);
    expect((await build(dockerfile, {}, 'target=no')).error).toContain('--security=insecure');
  });

  test('scratch alone is not an image; an image built on it has a PATH', async () => {
    expect((await build('FROM scratch')).error).toBe('No image was generated. Is your Dockerfile empty?');
    expect((await inspected('FROM scratch\nCOPY a /')).Config.Env).toEqual([PATH]);
    const own = await inspected('FROM scratch AS s\nFROM s\nENV A=1 PATH=/x\nCOPY a /');
    expect(own.Config.Env).toEqual(['PATH=/x', 'A=1']);
  });
});

describe('the configuration', () => {
  test('the order of EXPOSE makes no other image', async () => {
    const one = await build('FROM scratch\nEXPOSE 80 2375/udp 7000-7001');
    const other = await build('FROM scratch\nEXPOSE 7000-7001 127.0.0.1:8080:80 2375/UDP');
    expect(other.id).toBe(one.id);
    const { Config } = await engine.json<Inspected>('GET', `/images/${one.id}/json`);
    expect(Object.keys(Config.ExposedPorts)).toEqual(['2375/udp', '7000/tcp', '7001/tcp', '80/tcp']);
  });

  test('MAINTAINER is taken as it stands', async () => {
    const { Author } = await inspected(`FROM busybox\nMAINTAINER "Joe 'x' $HOME" <joe@example.com>`);
    expect(Author).toBe(`"Joe 'x' $HOME" <joe@example.com>`);
  });

  test('VOLUME over a file is refused, and a later RUN finds its directory', async () => {
    const refused = await build('FROM busybox\nCOPY a /f\nVOLUME /f\nCMD x', { a: '' });
    expect(refused.error).toBe('cannot mount volume over existing file, file exists /f');
    const dockerfile = 'FROM busybox\nVOLUME /v /w/x\nRUN ls -d /v /w/x\nRUN touch /v/f && ls -ld /w/x';
    expect(await printed(dockerfile)).toEqual([expect.stringMatching(/^drwxr-xr-x .* root +root .*\/w\/x$/)]);
  });
});

describe('RUN', () => {
  test.each([
    ['RUN exit 42', "The command '/bin/sh -c exit 42' returned a non-zero code: 42", 42],
    ['RUN /nothere', "The command '/bin/sh -c /nothere' returned a non-zero code: 127", 127],
    ['RUN ["/nothere"]', 'exec: "/nothere"', undefined],
    ['RUN []', 'No command specified', undefined],
  ])('%s fails: %s', async (line, message, code) => {
    const { error, code: found } = await build(`FROM busybox\nENTRYPOINT []\n${line}`);
    expect(error).toContain(message);
    expect(found).toBe(code);
  });

  test('without a command it is the entry point that runs', async () => {
    expect(await printed('FROM busybox\nENTRYPOINT ["echo", "entered"]\nRUN []')).toEqual(['entered']);
  });

  test('a here-document with a blank before its name, or an escape, is one', async () => {
    expect(await printed('FROM busybox\nENV A=1\nRUN cat <<\\EOF\n$A "x"\nEOF')).toEqual(['$A "x"']);
    expect(await printed('FROM busybox\nENV A=1\nRUN cat << EOF | cat\n$A "x"\nEOF')).toEqual(['1 "x"']);
  });
});

test('owners and modes that an image gives to /etc, /dev, /proc and /sys are kept', async () => {
  const files = Object.fromEntries(
    ['etc', 'proc', 'sys'].map(name => [`x/${name}`, { type: 'directory', mode: 0o750, uid: 3 } as const]),
  );
  const dockerfile = `FROM busybox AS chosen
COPY --chown=7:8 x /
RUN chown 1001:1002 /etc && chmod 700 /etc
RUN touch /etc/more && stat -c '%n %u:%g %a' /etc
RUN stat -c '%n %u:%g %a' /etc`;
  expect(await printed(dockerfile, files)).toEqual(['/etc 1001:1002 700']);
  const { id } = await build(dockerfile, files);
  const container = await engine.create(['true'], { Image: id });
  const { body } = await engine.ask('GET', `/containers/${container}/export`);
  const found = new Map<string, string>();
  const reader = createTarReader({
    entry: ({ path, mode, uid, gid }) => void found.set(path, `${mode.toString(8)} ${uid}:${gid}`),
    data: () => {},
    end: () => {},
  });
  reader.write(body);
  expect(['etc', 'proc', 'sys', 'etc/more'].map(path => found.get(path))).toEqual([
    '700 1001:1002',
    '750 7:8',
    '750 7:8',
    '644 0:0',
  ]);
});

describe('COPY and ADD', () => {
  const files = { f: 'f\n', 'd/e/x': 'x\n' };

  test('directories that a copy makes for files belong to the owner of --chown', async () => {
    const dockerfile = `FROM busybox
WORKDIR /w
COPY --chown=1000:1001 f /app/
COPY --chown=1000:1001 f x/y/
ADD --chown=1000:1001 f x/z/f
COPY --chown=1000:1001 d /n/q
COPY f /plain/
RUN stat -c '%n %u:%g %a' /w /w/x /w/x/y /w/x/z /app /n /n/q /n/q/e/x /plain`;
    expect(await printed(dockerfile, files)).toEqual([
      '/w 0:0 755',
      '/w/x 1000:1001 755',
      '/w/x/y 1000:1001 755',
      '/w/x/z 1000:1001 755',
      '/app 1000:1001 755',
      '/n 0:0 755',
      '/n/q 1000:1001 755',
      '/n/q/e/x 1000:1001 644',
      '/plain 0:0 755',
    ]);
  });

  test('a wildcard that fits nothing is an error only when nothing else is copied', async () => {
    expect(await printed('FROM busybox\nCOPY f none* ./\nRUN ls -d f', files)).toEqual(['f']);
    expect(await printed('FROM busybox\nCOPY none* f /g\nRUN cat /g', files)).toEqual(['f']);
    expect((await build('FROM busybox\nCOPY none* /x/', files)).error).toBe(
      'COPY failed: no source files were specified',
    );
    expect((await build('FROM busybox\nADD f none /x/', files)).error).toBe(
      'ADD failed: file not found in build context or excluded by .dockerignore: stat none: file does not exist',
    );
  });

  test('a link whose target is missing stands for its target, inside the image', async () => {
    const dockerfile = `FROM busybox
RUN ln -s /var/t /t && mkdir /o && ln -s ../../x/y /o/l && ln -s /gone/file /dangling
WORKDIR /t
COPY f /o/l/
ADD f /dangling
COPY d/ /t/below
WORKDIR sub
RUN pwd && cat /x/y/f /gone/file /var/t/below/e/x && readlink /t && readlink /o/l && readlink /dangling`;
    expect(await printed(dockerfile, files)).toEqual([
      ...['/var/t/sub', 'f', 'f', 'x'],
      ...['/var/t', '../../x/y', '/gone/file'],
    ]);
  });

  test('a here-document keeps its quotes, and only variables are expanded', async () => {
    const dockerfile = `FROM busybox
ARG A=arg
COPY <<EOF /one
{"key": "va'lue", 'k2': "$A"}
EOF
COPY <<\\EOF /two
"$A"
EOF
COPY << EOF /three
\${A} \\$A
EOF
RUN cat /one /two /three`;
    expect(await printed(dockerfile)).toEqual([`{"key": "va'lue", 'k2': "arg"}`, '"$A"', 'arg $A']);
  });

  test('--exclude leaves out, --parents keeps directories, from /./ on where it stands', async () => {
    const tree = { 'd/a.txt': '', 'd/b.md': '', 'd/e/c.txt': '', 'd/e/f.md': '' };
    const find = (line: string) => printed(`FROM busybox\n${line}\nRUN cd /o && find . -type f | sort`, tree);
    expect(await find('COPY --exclude=*.txt d /o/')).toEqual(['./b.md', './e/c.txt', './e/f.md']);
    expect(await find('ADD --exclude=**/*.txt --exclude=b* d/ /o/')).toEqual(['./e/f.md']);
    expect(await find('COPY --exclude=*.txt d/*.* /o/')).toEqual(['./b.md']);
    expect(await find('COPY --parents ./d/e/c.txt d/b.md /o/')).toEqual(['./d/b.md', './d/e/c.txt']);
    expect(await find('COPY --parents d/*/*.md /o')).toEqual(['./d/e/f.md']);
    expect(await find('COPY --parents d/./e /o/')).toEqual(['./e/c.txt', './e/f.md']);
  });

  test('--checksum is for URLs alone; --keep-git-dir and --link are taken', async () => {
    const sum = `sha256:${createHash('sha256').update('f\n').digest('hex')}`;
    const local = await build(`FROM busybox\nADD --checksum=${sum} f /`, files);
    expect(local.error).toBe("checksum can't be specified for non-HTTP(S) sources");
    const taken = 'FROM busybox\nADD --keep-git-dir=true --link f /x/\nRUN ls /x';
    expect(await printed(taken, files)).toEqual(['f']);
    expect((await build('FROM busybox\nADD --keep-git-dir=maybe f /x/', files)).error).toContain('maybe');
  });

  test('archives of xz and bzip2 are unpacked by ADD, import and load', async () => {
    const xz = Buffer.from(
      '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Af/AEJdADSbgeTmb12RNVRAKBYU45A3fgbG9/z7LuKc5EGhR3yX9CMwv7HPUo+0ZTqn62aKuuAYLTLFmB8lw0O6YNq8z/SnAAAAAD8ZcceOYn55AAFegBAAAABXWi4UscRn+wIAAAAABFla',
      'base64',
    );
    const bzip2 = Buffer.from(
      'QlpoOTFBWSZTWdFhUfQAAC5bgMmQQADXgAAEbyleAAgYIABUZkwmTRkwTAeoJQp6jQNNGgAGdZ8hBxAo5vgStpqQFDRuIvJUHUQmyDZXTDnfzxbH9b0F8DoAekJsXckU4UJDRYVH0A==',
      'base64',
    );
    const dockerfile = 'FROM busybox\nADD f.tar.xz /x/\nADD g.tbz /b/\nRUN cat /x/in/f /b/in/f';
    expect(await printed(dockerfile, { 'f.tar.xz': xz, 'g.tbz': bzip2 })).toEqual(['packed', 'packed']);
    for (const archive of [xz, bzip2]) {
      const { text } = await post(daemon, '/images/create?fromSrc=-&repo=packed', archive);
      const { status } = JSON.parse(text.trim().split('\n').at(-1)!);
      const { RootFS } = await engine.json<{ RootFS: { Layers: string[] } }>('GET', `/images/${status}/json`);
      expect(RootFS.Layers).toHaveLength(1);
      // It is read, and is no archive of images.
      expect((await post(daemon, '/images/load', archive)).text).toContain('neither index.json nor');
    }
  });

  test('several files go into the directory .', async () => {
    expect(await printed('FROM busybox\nWORKDIR /w\nCOPY f d/e/x .\nRUN ls', files)).toEqual(['f', 'x']);
  });
});

describe('the parent of an image', () => {
  const parentOf = async (name: string) =>
    (await engine.json<{ Parent: string }>('GET', `/images/${name}/json`)).Parent;
  const ids = async (query = '') =>
    (await engine.json<{ Id: string }[]>('GET', `/images/json${query}`)).map(each => each.Id);

  test('is what it was built on or committed from, stays while it has children, and goes with the last', async () => {
    const base = await build('FROM busybox\nLABEL base=1', {}, 't=parent-base');
    const child = await build('FROM parent-base\nLABEL child=1', {}, 't=parent-child');
    expect(await parentOf('parent-child')).toBe(base.id);
    const container = await engine.create(['true'], { Image: 'parent-base' });
    const { Id: committed } = await engine.json<{ Id: string }>(
      'POST',
      `/commit?container=${container}&repo=parent-committed`,
      {},
    );
    await engine.ask('DELETE', `/containers/${container}`);
    expect(await parentOf('parent-committed')).toBe(base.id);
    const history = await engine.json<{ Id: string }[]>('GET', '/images/parent-committed/history');
    expect(history.map(each => each.Id).slice(0, 2)).toEqual([committed, base.id]);

    const refused = await engine.ask('DELETE', `/images/${base.id}?force=1`);
    expect([refused.status, String(refused.body)]).toEqual([
      409,
      expect.stringContaining('(cannot be forced) - image has dependent child images'),
    ]);
    await engine.json('POST', '/images/parent-child/tag?repo=parent-other');
    await engine.json('DELETE', '/images/parent-child');
    expect(await engine.json('DELETE', '/images/parent-base')).toEqual([{ Untagged: 'parent-base:latest' }]);
    expect(await ids()).not.toContain(base.id);
    expect(await ids('?all=1')).toContain(base.id);
    await engine.json('POST', '/images/prune');
    await engine.json('DELETE', '/images/parent-committed');
    expect(await engine.json('DELETE', '/images/parent-other')).toEqual([
      { Untagged: 'parent-other:latest' },
      { Deleted: child.id },
      { Deleted: base.id },
    ]);
  });
});

test('a build tells of its containers, as run does', async () => {
  const since = Math.floor(Date.now() / 1000);
  const { text } = await build('FROM busybox\nLABEL a=b\nRUN exit 3');
  const id = /Running in ([0-9a-f]{12})/.exec(text)![1]!;
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'] }));
  const until = Math.floor(Date.now() / 1000) + 1;
  const { body } = await engine.ask('GET', `/events?since=${since}&until=${until}&filters=${filters}`);
  const events = String(body).trim().split('\n');
  const found = events.map(line => JSON.parse(line)).filter(each => each.id.startsWith(id));
  expect(found.map(each => each.Action)).toEqual(['create', 'attach', 'start', 'die', 'destroy']);
  expect(found[3].Actor.Attributes).toMatchObject({
    exitCode: '3',
    a: 'b',
    image: expect.stringMatching(/^sha256:/),
  });
});

test('unsupported instructions and flags are refused', async () => {
  expect((await build('FROM busybox', {}, 'isolation=hyperv')).error).toContain('invalid isolation');
});

test('RUN joins the network of a container', async () => {
  const other = await engine.run(['sleep', '60'], { HostConfig: { NetworkMode: 'bridge' } });
  const { NetworkSettings } = await engine.inspect(other);
  const { text } = await build('FROM busybox\nRUN ip addr', {}, `networkmode=container:${other}`);
  expect(text).toContain(NetworkSettings.IPAddress);
  await engine.ask('DELETE', `/containers/${other}?force=1`);
  const gone = await build('FROM busybox\nRUN echo x', {}, `networkmode=container:${other}`);
  expect(gone.error).toContain('No such container');
});

describe('--cache-from', () => {
  /** Forgets what this daemon built, as if the image had been pulled. */
  const forget = () => engine.json('POST', '/build/prune');
  const cached = ({ text }: Built): number => text.match(/Using cache/g)?.length ?? 0;
  const dockerfile =
    'FROM busybox\nENV A=b\nCOPY f d /in/\nWORKDIR /w\nRUN date +%N > /w/now\nCMD ["cat", "now"]';
  const files = { f: 'f', 'd/g': 'g' };

  test('takes the steps of an image as far as the image has them', async () => {
    const first = await build(dockerfile, files, 't=elsewhere');
    await forget();
    const again = await build(dockerfile, files, 'cachefrom=["nowhere","elsewhere"]');
    expect(again.id).toBe(first.id);
    expect(cached(again)).toBe(5);
    await forget();
    const longer = await build(`${dockerfile}\nRUN cat now`, files, 'cachefrom=["elsewhere"]');
    expect(cached(longer)).toBe(5);
    await engine.json('DELETE', '/images/elsewhere?force=1');
  });

  test('takes no COPY of other files, and nothing behind it', async () => {
    await build(dockerfile, files, 't=elsewhere');
    await forget();
    expect(cached(await build(dockerfile, { ...files, f: 'F' }, 'cachefrom=["elsewhere"]'))).toBe(1);
    await forget();
    expect(cached(await build(dockerfile, files))).toBe(0);
    expect(cached(await build(dockerfile, files, 'cachefrom=["nowhere"]'))).toBe(0);
    await engine.json('DELETE', '/images/elsewhere?force=1');
  });
});

test('--rm=false keeps the containers of the steps, and RUN with its files', async () => {
  const { text, id } = await build('FROM busybox\nRUN echo kept > /kept\nCMD ["x"]', {}, 'rm=0&nocache=1');
  expect(text).not.toContain('Removing intermediate');
  const kept = [...text.matchAll(/Running in ([0-9a-f]{12})/g)].map(each => each[1]!);
  expect(kept).toHaveLength(2);
  const [ran, plain] = await Promise.all(kept.map(each => engine.inspect(each)));
  expect(ran!.State).toMatchObject({ Status: 'exited', ExitCode: 0 });
  expect(plain!.State.Status).toBe('created');
  expect(await engine.json('GET', `/containers/${kept[0]}/changes`)).toEqual([{ Kind: 1, Path: '/kept' }]);
  await engine.json('POST', `/containers/${kept[0]}/start`);
  expect(await engine.wait(kept[0]!)).toBe(0);
  for (const each of kept) await engine.json('DELETE', `/containers/${each}`);
  await engine.json('DELETE', `/images/${id}?force=1`);
  // The image to examine is that of the failed build.
  const failed = await build('FROM busybox\nRUN echo so far > /f; exit 3', {}, 'rm=0');
  const [, left] = /Running in ([0-9a-f]{12})/.exec(failed.text)!;
  expect((await engine.inspect(left!)).State).toMatchObject({ Status: 'exited', ExitCode: 3 });
  expect(await engine.json('GET', `/containers/${left}/changes`)).toEqual([{ Kind: 1, Path: '/f' }]);
  await engine.json('DELETE', `/containers/${left}`);
});

test('a build tells of empty lines in a command, and of a health check that replaces another', async () => {
  const { text } = await build(
    'FROM busybox\nHEALTHCHECK CMD a b\nHEALTHCHECK NONE\nRUN true && \\\n\n  echo hi',
  );
  expect(text).toContain(
    '\x1b[91m[WARNING]: Empty continuation line found in:\n    RUN true &&   echo hi\n' +
      '[WARNING]: Empty continuation lines will become errors in a future release.\n\x1b[0mStep 1/4',
  );
  expect(text).toContain('HEALTHCHECK NONE\nNote: overriding previous HEALTHCHECK: [CMD-SHELL a b]\n --->');
  const plain = await build('FROM busybox\nRUN true && \\\n# a comment\n  echo hi \\\n');
  expect(plain.text).not.toContain('WARNING');
});
