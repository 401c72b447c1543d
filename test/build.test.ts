// Builds as their user sees them: our own command, and docker's.

import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  lutimesSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TarEntry } from '../mini-docker/formats/tar/entry.ts';
import { createTarReader } from '../mini-docker/formats/tar/reader.ts';
import { tarOf } from '../mini-docker/images/testing/archives.ts';
import { call } from '../mini-docker/linux/call.ts';
import { fsetxattr } from '../mini-docker/linux/syscalls.ts';
import { dockers, hasDocker, newContext, ours, post, type RunOptions, serverIn } from './support/building.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterAll(() => daemon.stop());

interface Image {
  Id: string;
  Config: Record<string, unknown>;
  RootFS: { Layers: string[] };
  Author: string;
  Comment: string;
  Created: string;
}

const inspect = (name: string) => engine.json<Image>('GET', `/images/${name}/json`);
const images = () => engine.json<{ Id: string; RepoTags: string[] }[]>('GET', '/images/json?all=1');
const containers = () => engine.json<unknown[]>('GET', '/containers/json?all=1');

/** Builds, and expects that it succeeds. */
async function built(args: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await ours(daemon, ['build', ...args], options);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
}

/** What a command prints in a container of the image. */
async function printed(image: string, ...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await ours(daemon, [
    'run',
    '--rm',
    '--network',
    'none',
    image,
    ...command,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Of a Dockerfile without a context. */
const dockerfile = (text: string, ...args: string[]) => built([...args, '-'], { input: text });

test("a build prints docker's messages, and the second one takes everything from the cache", async () => {
  using context = newContext({
    Dockerfile:
      'FROM busybox\nENV A=b\nRUN echo out; echo $A > /file\nCOPY data /data\nCMD ["cat", "/file"]\n',
    data: 'x',
  });
  const first = await built(['-t', 'words:1', '-t', 'words:2', context.path]);
  expect(first.replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')).toBe(`Step 1/5 : FROM busybox
 ---> ID
Step 2/5 : ENV A=b
 ---> ID
Step 3/5 : RUN echo out; echo $A > /file
 ---> Running in ID
out
Removing intermediate container ID
 ---> ID
Step 4/5 : COPY data /data
 ---> ID
Step 5/5 : CMD ["cat", "/file"]
 ---> ID
Successfully built ID
Successfully tagged words:1
Successfully tagged words:2
`);
  const { Id } = await inspect('words:1');
  expect(first).toContain(`Successfully built ${Id.slice(7, 19)}`);
  expect(await printed('words:2')).toBe('b\n');
  const second = await built(['-t', 'words:1', context.path]);
  expect(second.match(/Using cache/g)).toHaveLength(4);
  expect(second).not.toContain('Running in');
  expect((await inspect('words:1')).Id).toBe(Id);
});

test('the cache goes by content and mode, and not by times', async () => {
  using context = newContext({ Dockerfile: 'FROM busybox\nCOPY d /d\nRUN true\n', 'd/a': '1', 'd/b': '2' });
  const cached = async () => ((await built([context.path])).match(/Using cache/g) ?? []).length;
  await built([context.path]);
  utimesSync(join(context.path, 'd/a'), 1, 1);
  expect(await cached()).toBe(2);
  chmodSync(join(context.path, 'd/a'), 0o755);
  expect(await cached()).toBe(0);
  context.write({ 'd/b': '3' });
  expect(await cached()).toBe(0);
  context.write({ 'd/b': '2' });
  chmodSync(join(context.path, 'd/a'), 0o644);
  expect(await cached()).toBe(2);
  context.write({ Dockerfile: 'FROM busybox\nCOPY d /e\nRUN true\n' });
  expect(await cached()).toBe(0);
  expect((await built(['--no-cache', context.path])).match(/Using cache/g)).toBe(null);
});

test('a value of ARG counts where it is used, and not before', async () => {
  const text = 'FROM busybox\nARG A=1\nRUN true\nARG B=1\nRUN echo $B\n';
  await dockerfile(text);
  const lines = await dockerfile(text, '--build-arg', 'B=2');
  expect(lines.match(/Using cache/g)).toHaveLength(3);
  expect(lines).toContain('\n2\nRemoving');
  expect((await dockerfile(text, '--build-arg', 'A=2')).match(/Using cache/g)).toHaveLength(1);
});

test('ARG is known where it is declared, ENV overrides it, and an argument that no ARG declares is reported', async () => {
  const text = `ARG TAG=latest
ARG OTHER=global
FROM busybox:$TAG
RUN echo "1 [$OTHER]"
ARG OTHER
ARG WITH="x \${OTHER#glo}"
RUN echo "2 [$OTHER] [$WITH] [$GIVEN]"
ENV OTHER=env
RUN echo "3 [$OTHER]"
FROM busybox
RUN echo "4 [$OTHER]"
`;
  const said = await dockerfile(text, '--build-arg', 'GIVEN=1', '--target', '0');
  expect(said).toContain('\n1 []\n');
  expect(said).toContain('\n2 [global] [x bal] []\n');
  expect(said).toContain('\n3 [env]\n');
  expect(said).toContain('[Warning] One or more build-args [GIVEN] were not consumed');
  expect(await dockerfile(text, '--build-arg', 'OTHER=mine', '--target', '0')).toContain(
    '\n2 [mine] [x mine] []\n',
  );
  const env = { A_VALUE: 'from outside' };
  const fromEnvironment = { input: 'FROM busybox\nARG A_VALUE\nRUN echo "[$A_VALUE]"', env };
  expect(await built(['--build-arg', 'A_VALUE', '-'], fromEnvironment)).toContain('[from outside]');
});

test('all instructions of the configuration arrive in the image', async () => {
  await dockerfile(
    `FROM busybox
MAINTAINER Somebody <s@example.com>
ENV ONE=1 TWO="two words"
LABEL a=b "c d"='e "f"'
EXPOSE 80 8000-8001/udp
VOLUME ["/data"]
VOLUME /more
WORKDIR /work
WORKDIR deeper
USER nobody:1
STOPSIGNAL SIGINT
SHELL ["/bin/ash", "-c"]
HEALTHCHECK --interval=1s --timeout=2s --start-period=3s --retries=4 CMD true
ONBUILD RUN echo triggered in $(pwd)
ENTRYPOINT echo entry
CMD ["a", "b"]
`,
    ...['-t', 'configured', '--label', 'x=$ONE', '--label', 'q="'],
  );
  const { Config, Author } = await inspect('configured');
  expect(Author).toBe('Somebody <s@example.com>');
  expect(Config).toMatchObject({
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'ONE=1', 'TWO=two words'],
    Labels: { a: 'b', 'c d': 'e "f"', x: '$ONE', q: '"' },
    ExposedPorts: { '80/tcp': {}, '8000/udp': {}, '8001/udp': {} },
    Volumes: { '/data': {}, '/more': {} },
    WorkingDir: '/work/deeper',
    User: 'nobody:1',
    StopSignal: 'SIGINT',
    Shell: ['/bin/ash', '-c'],
    Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 1e9, Timeout: 2e9, StartPeriod: 3e9, Retries: 4 },
    OnBuild: ['RUN echo triggered in $(pwd)'],
    Entrypoint: ['/bin/ash', '-c', 'echo entry'],
    Cmd: ['a', 'b'],
  });
  const child = await dockerfile('FROM configured\nENTRYPOINT ["x"]\n', '-t', 'child');
  expect(child).toContain('# Executing 1 build trigger');
  expect(child).toContain('\ntriggered in /work/deeper\n');
  const ofChild = (await inspect('child')).Config;
  expect(ofChild).toMatchObject({ Entrypoint: ['x'], OnBuild: null, WorkingDir: '/work/deeper' });
  // Of the base image, whose entrypoint it belonged to.
  expect(ofChild.Cmd ?? null).toBe(null);
});

test('stages that the target does not need are not built, and independent ones are built side by side', async () => {
  using context = newContext({
    Dockerfile: `FROM busybox AS one
RUN cat /proc/uptime > /one; sleep 1; cat /proc/uptime >> /one
FROM busybox AS two
RUN cat /proc/uptime > /two; sleep 1; cat /proc/uptime >> /two
FROM busybox AS broken
RUN false
FROM one
COPY --from=two /two /
RUN cat /one /two
`,
  });
  const said = await built(['-t', 'stages', context.path]);
  expect(said).not.toContain('RUN false');
  // As text they come one after the other.
  expect(said.match(/Step \d+\/7/g)).toEqual([1, 2, 3, 4, 5, 6, 7].map(step => `Step ${step}/7`));
  const times = (await printed('stages', 'cat', '/one', '/two')).trim().split('\n').map(Number.parseFloat);
  const [oneBegan, oneEnded, twoBegan, twoEnded] = times as [number, number, number, number];
  expect(oneBegan).toBeLessThan(twoEnded);
  expect(twoBegan).toBeLessThan(oneEnded);
  const failed = await ours(daemon, ['build', '--target', 'broken', context.path]);
  expect(failed.stderr).toContain("The command '/bin/sh -c false' returned a non-zero code: 1");
  const unknown = await ours(daemon, ['build', '--target', 'tow', context.path]);
  expect(unknown.stderr).toContain('target stage "tow" could not be found; did you mean two?');
});

describe('COPY and ADD', () => {
  test('files, directories, wildcards and owners', async () => {
    using context = newContext({
      'a.txt': 'a',
      'b.txt': 'b',
      'd/e/f': 'f',
      'sp ace': 's',
      Dockerfile: `FROM busybox
COPY a.txt /renamed
COPY *.txt /texts/
COPY d /d
COPY d/e /existing/
COPY ["sp ace", "/with blank"]
COPY --chown=nobody:1 --chmod=600 ?.txt /owned/
COPY a.txt /tmp
COPY a.txt b.txt relative/
WORKDIR /work
COPY a.txt ./
COPY <<one <<'two' /docs/
$PATH_OF is expanded
one
$PATH_OF is not
two
`,
    });
    chmodSync(join(context.path, 'b.txt'), 0o4751);
    await built(['-t', 'copied', context.path]);
    const script = `cat /renamed /texts/a.txt /texts/b.txt /d/e/f /existing/f '/with blank' /tmp/a.txt /relative/b.txt /work/a.txt
echo; stat -c '%n %a %u:%g' /texts/b.txt /owned/a.txt /texts /tmp; cat /docs/one /docs/two`;
    const nobody = await printed('copied', 'id', '-u', 'nobody');
    expect(await printed('copied', 'sh', '-c', script)).toBe(
      `aabffsaba
/texts/b.txt 4751 0:0
/owned/a.txt 600 99:1
/texts 755 0:0
/tmp 1777 0:0
 is expanded
$PATH_OF is not
`.replace('99:1', `${nobody.trim()}:1`),
    );
  });

  test('a place behind a symbolic link of the image is inside of the image', async () => {
    using context = newContext({
      file: 'content',
      'dir/sub/file': 'deep',
      Dockerfile: `FROM busybox
RUN ln -s /real /absolute; ln -s ../../../../../../real /relative; mkdir /real; ln -s /etc/passwd /to-file; ln -s / /real/root
COPY file /absolute/
COPY file /relative/other
COPY dir /absolute/root/real/root/deep/
COPY file /to-file
RUN find /real /deep /etc/passwd -type f
`,
    });
    const host = readFileSync('/etc/passwd', 'utf8');
    const said = await built([context.path]);
    for (const path of ['/real/file', '/real/other', '/deep/sub/file', '/etc/passwd']) {
      expect(said).toContain(`\n${path}\n`);
    }
    expect(readFileSync('/etc/passwd', 'utf8')).toBe(host);
  });

  test('links of the context lead nowhere but into the context', async () => {
    using context = newContext({
      'd/file': 'inside',
      Dockerfile: 'FROM busybox\nCOPY link /got\nRUN cat /got\n',
    });
    symlinkSync('../../../../../../../d/file', join(context.path, 'link'));
    expect(await built([context.path])).toContain('\ninside');
    symlinkSync('/etc/hostname', join(context.path, 'outside'));
    const outside = await ours(daemon, ['build', '-f', '-', context.path], {
      input: 'FROM busybox\nCOPY outside /got',
    });
    expect(outside.stderr).toContain('file not found in build context');
    symlinkSync('/etc', join(context.path, 'etc'));
    const below = await ours(daemon, ['build', '-f', '-', context.path], {
      input: 'FROM busybox\nCOPY etc/passwd /got',
    });
    expect(below.stderr).toContain('file not found in build context');
    const parent = await ours(daemon, ['build', '-f', '-', context.path], {
      input: 'FROM busybox\nCOPY ../x /got',
    });
    expect(parent.stderr).toContain('forbidden path outside the build context: ../x');
    // A link in a directory is copied as it is.
    symlinkSync('/etc/hostname', join(context.path, 'd/link'));
    lutimesSync(join(context.path, 'd/link'), 1, 1);
    const said = await built(['-f', '-', context.path], {
      input: 'FROM busybox\nCOPY d /d\nRUN readlink /d/link',
    });
    expect(said).toContain('\n/etc/hostname\n');
  });

  test('a hostile context is refused, and nothing of it gets out', async () => {
    const from = { path: 'Dockerfile', content: 'FROM busybox\nCOPY . /all\n' };
    for (const entries of [
      [{ path: '../escape', content: 'x' }],
      [
        { path: 'a', type: 'symlink' as const, linkname: '/tmp' },
        { path: 'a/../../escape', content: 'x' },
      ],
      [{ path: 'h', type: 'hardlink' as const, linkname: '../../../etc/passwd' }],
    ]) {
      const { status, text } = await post(daemon, '/build', tarOf(from, ...entries));
      expect(status).toBe(400);
      expect(text).toMatch(/the build context cannot be read: the archive (is not safe|links)/);
    }
    const through = [
      { path: 'a', type: 'symlink' as const, linkname: '/tmp' },
      { path: 'a/mini-docker-escape', content: 'x' },
    ];
    await post(daemon, '/build', tarOf(from, ...through));
    expect(readdirSync('/tmp')).not.toContain('mini-docker-escape');
    expect(await post(daemon, '/build', Buffer.from('no tar at all'.repeat(100)))).toMatchObject({
      status: 400,
    });
    const asDirectory = [{ path: 'Dockerfile', type: 'symlink' as const, linkname: '/etc/passwd' }];
    const refused = await post(daemon, '/build', tarOf(...asDirectory));
    expect(refused).toMatchObject({
      status: 400,
      text: expect.stringContaining('Cannot locate specified Dockerfile'),
    });
  });

  test('ADD unpacks archives of the context, and archives cannot leave their place', async () => {
    using context = newContext({
      Dockerfile: `FROM busybox
ADD good.tar /unpacked/
ADD plain.gz /
COPY good.tar /copied/
RUN find /unpacked /copied /plain.gz -type f; stat -c %u:%g /unpacked/x/file
`,
    });
    const write = (name: string, bytes: Buffer) => writeFileSync(join(context.path, name), bytes);
    write('good.tar', tarOf({ path: 'x/file', content: 'in the archive', uid: 7, gid: 8 }));
    write('plain.gz', gzipSync('no archive'));
    const said = await built([context.path]);
    for (const path of ['/unpacked/x/file', '/copied/good.tar', '/plain.gz'])
      expect(said).toContain(`\n${path}\n`);
    expect(said).toContain('\n7:8\n');
    write('good.tar', tarOf({ path: '../../../../escape', content: 'x' }));
    const { code, stderr } = await ours(daemon, ['build', context.path]);
    expect(code).toBe(1);
    expect(stderr).toContain('ADD failed: the archive is not safe');
  });

  test('ADD of a URL is the file itself, checked when the Dockerfile says how', async () => {
    await using server = await serverIn(daemon);
    const { url } = server;
    const input = (line: string) => ({
      input: `FROM busybox\n${line}\nRUN stat -c '%a %Y' /file.tar; cat /file.tar\n`,
    });
    const said = await built(['-'], input(`ADD ${url}/file.tar /`));
    expect(said).toContain('\n600 1445412480\nfrom afar');
    const checksum = `sha256:${createHash('sha256').update('from afar').digest('hex')}`;
    await built(['-'], input(`ADD --checksum=${checksum} ${url}/file.tar /`));
    const failing = async (line: string) => (await ours(daemon, ['build', '-'], input(line))).stderr;
    const other = `sha256:${'0'.repeat(64)}`;
    expect(await failing(`ADD --checksum=${other} ${url}/file.tar /`)).toContain(
      `its checksum is ${checksum}`,
    );
    expect(await failing(`ADD ${url}/missing /`)).toContain(`failed to fetch ${url}/missing: 404 Not Found`);
    expect(await failing(`ADD ${url}/ /`)).toContain('cannot determine a file name');
    expect(await failing('ADD http://127.0.0.1:9/file /')).toMatch(
      /failed to fetch http:\/\/127\.0\.0\.1:9\/file: /,
    );
    const git = await ours(daemon, ['build', '-'], {
      input: 'FROM busybox\nADD https://example.com/a.git /\n',
    });
    expect(git.stderr).toContain('git repositories are not supported');
  });

  test('errors name the fault: no such file, two files into one, a directory in place of a file', async () => {
    using context = newContext({ a: '1', b: '2', 'd/x': '3' });
    const failing = async (line: string) =>
      (await ours(daemon, ['build', '-f', '-', context.path], { input: `FROM busybox\n${line}\n` })).stderr;
    expect(await failing('COPY nothere /')).toContain('COPY failed: file not found in build context');
    expect(await failing('COPY *.none /x/')).toContain('no source files were specified');
    expect(await failing('COPY a b /x')).toContain('the destination must be a directory and end with a /');
    expect(await failing('COPY d /etc/passwd')).toContain('cannot copy to non-directory: /etc/passwd');
    expect(await failing('COPY a /etc/passwd/x')).toMatch(/COPY failed|not a directory/i);
    expect(await failing('COPY --chown=who a /')).toContain("can't find uid for user who");
    expect(await failing('COPY --from=nosuchstage.example:5000/x a /')).toContain('cannot pull');
  });
});

describe('RUN', () => {
  test('mounts: the context, another stage, a cache, a tmpfs, a secret; and none of them is in the image', async () => {
    using context = newContext({
      secret: 'sesame',
      Dockerfile: `FROM busybox AS other
RUN mkdir /d; echo one > /d/1
RUN echo two > /d/2
FROM busybox
RUN --mount=target=/ctx cat /ctx/secret; ! touch /ctx/new
RUN --mount=type=bind,from=other,source=/d,target=/d,rw cat /d/1 /d/2; touch /d/3
RUN --mount=type=bind,from=other,source=/d/2,target=/file cat /file
RUN --mount=type=cache,target=/cache,id=c1 echo x >> /cache/file
RUN --mount=type=cache,target=/other,id=c1 echo x >> /other/file; wc -l < /other/file
RUN --mount=type=tmpfs,target=/t,size=1m df /t | grep -q tmpfs && touch /t/x
RUN --mount=type=secret,id=s cat /run/secrets/s; stat -c %a /run/secrets/s
RUN --mount=type=secret,id=s,env=WORD echo "word $WORD"
RUN ls / /run 2>&1; true
`,
    });
    const said = await built(['-t', 'mounts', '--secret', `id=s,src=${context.path}/secret`, context.path]);
    expect(said).toContain('\none\ntwo\n');
    expect(said).toContain('\n2\n');
    expect(said).toContain('sesame400\n');
    expect(said).toContain('\nword sesame\n');
    // Nothing was changed by any of them.
    expect((await inspect('mounts')).RootFS.Layers).toHaveLength(1);
    const history = await engine.json<object>('GET', '/images/mounts/history');
    expect(JSON.stringify([await inspect('mounts'), history])).not.toContain('sesame');
    const missing = { input: 'FROM busybox\nRUN --mount=type=secret,id=no,required=true true' };
    expect((await ours(daemon, ['build', '-'], missing)).stderr).toContain('secret no not found');
  });

  test('a file that a mount makes at the target of a dangling link is not in the image either', async () => {
    using context = newContext({
      secret: 'sesame',
      Dockerfile: `FROM busybox
RUN ln -s /gone/x/y /link; ln -s ../gone/a /relative; ln -s /file /to-file
RUN --mount=type=cache,target=/link --mount=type=tmpfs,target=/relative/b touch /gone/x/y/1 /gone/a/b/2
RUN --mount=type=secret,id=s,target=/to-file cat /file
RUN ! test -e /gone && ! test -e /file && test -L /link
`,
    });
    const args = ['-t', 'links', '--secret', `id=s,src=${context.path}/secret`, context.path];
    expect(await built(args)).toContain('sesame');
    expect((await inspect('links')).RootFS.Layers).toHaveLength(2);
  });

  test('here-documents are scripts for the shell or for the interpreter that they name', async () => {
    const said = await dockerfile(`FROM busybox
RUN <<EOF
a=1
echo "shell $a"
EOF
RUN <<EOF
#!/bin/cat
cat reads this
EOF
RUN cat <<EOF > /file && cat /file
to a file
EOF
`);
    expect(said).toContain('\nshell 1\n');
    expect(said).toContain('\ncat reads this\n');
    expect(said).toContain('\nto a file\n');
  });

  test('--network=none has no network, USER and WORKDIR count, and limits are kept', async () => {
    const said = await dockerfile(
      `FROM busybox
RUN --network=none ls /sys/class/net | tr '\\n' ' '; echo only
USER 5:6
WORKDIR /w
RUN id -u; id -g; pwd; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true
`,
      '--memory',
      '64m',
    );
    expect(said).toContain('\nlo only\n');
    expect(said).toContain('\n5\n6\n/w\n');
  });

  test('deleted files are gone, and the result is a layer that other tools read', async () => {
    await dockerfile('FROM busybox\nRUN rm /bin/vi && mkdir /new && echo 1 > /new/file\n', '-t', 'deleted');
    expect(await printed('deleted', 'sh', '-c', 'ls /bin/vi 2>&1; cat /new/file')).toContain('No such file');
    const saved = await ours(daemon, ['run', '--rm', 'deleted', 'cat', '/new/file']);
    expect(saved.stdout).toBe('1\n');
  });

  test('a failure leaves no container, no image and no file, and the command ends with its code', async () => {
    const before = await images();
    const result = await ours(daemon, ['build', '-t', 'failed', '-'], {
      input: 'FROM busybox\nRUN echo partly; exit 42\n',
    });
    expect(result.code).toBe(42);
    expect(result.stderr).toBe(
      "mini-docker: The command '/bin/sh -c echo partly; exit 42' returned a non-zero code: 42\n",
    );
    expect(await images()).toEqual(before);
    expect(await containers()).toEqual([]);
    for (const directory of [join(daemon.dataRoot, 'build/tmp'), join(daemon.runDir, 'build')]) {
      expect(readdirSync(directory)).toEqual([]);
    }
    const noProgram = await ours(daemon, ['build', '-'], { input: 'FROM busybox\nRUN ["/nothere"]\n' });
    expect(noProgram.stderr).toContain('/nothere');
    expect(noProgram.code).toBe(1);
  });

  test('a build whose client goes ends at once, with its container', async () => {
    const body = tarOf({ path: 'Dockerfile', content: 'FROM busybox\nRUN echo begun; sleep 1000\n' });
    await new Promise<void>(done => {
      const asked = request(
        { socketPath: daemon.socket, method: 'POST', path: '/build', agent: false },
        reply => {
          let text = '';
          reply.on('data', chunk => {
            text += chunk;
            if (text.includes('begun\\n')) asked.destroy();
          });
          reply.on('close', done);
          reply.on('error', () => {});
        },
      );
      asked.on('error', () => {}).end(body);
    });
    const directory = join(daemon.runDir, 'build');
    const deadline = Date.now() + 20_000;
    while (readdirSync(directory).length > 0 && Date.now() < deadline) await sleep(20);
    expect(readdirSync(directory)).toEqual([]);
  });
});

test('a daemon that is killed in the middle of a build leaves nothing that the next one does not take away', async () => {
  await using other = await startDaemon();
  const body = tarOf({ path: 'Dockerfile', content: 'FROM busybox\nRUN echo begun; sleep 1000\n' });
  const asked = request({ socketPath: other.socket, method: 'POST', path: '/build', agent: false });
  asked.on('error', () => {}).end(body);
  await new Promise<void>(done => {
    asked.on('response', reply => {
      reply.on('error', () => {});
      reply.on('data', chunk => String(chunk).includes('begun') && done());
    });
  });
  await other.end('SIGKILL');
  expect(readdirSync(join(other.runDir, 'build'))).toHaveLength(1);
  await other.begin();
  for (const directory of [join(other.runDir, 'build'), join(other.dataRoot, 'build/tmp')]) {
    expect(readdirSync(directory)).toEqual([]);
  }
});

test('with SOURCE_DATE_EPOCH a build gives the same layers, and the same image, every time', async () => {
  using context = newContext({
    Dockerfile:
      'FROM busybox\nRUN date > /dev/null; mkdir /made; echo x > /made/file\nCOPY d /d\nWORKDIR /w\nRUN touch /w/y\n',
    'd/file': 'x',
  });
  const env = { SOURCE_DATE_EPOCH: '1700000000' };
  await built(['--no-cache', '-t', 'same:1', context.path], { env });
  await sleep(1100);
  utimesSync(join(context.path, 'd/file'), new Date(), new Date());
  await built(['--no-cache', '-t', 'same:2', context.path], { env });
  const [one, two] = [await inspect('same:1'), await inspect('same:2')];
  expect(two.RootFS.Layers).toEqual(one.RootFS.Layers);
  expect(two.Id).toBe(one.Id);
  expect(one.Created).toBe('2023-11-14T22:13:20.000Z');
});

describe('the command', () => {
  test('capabilities of a file go with it: into the context, a layer, and a commit', async () => {
    using context = newContext({
      Dockerfile: 'FROM busybox\nCOPY program script /bin/',
      script: '#!/bin/sh\n',
    });
    const program = join(context.path, 'program');
    copyFileSync(createRequire(import.meta.url).resolve('busybox-static/bin/busybox'), program);
    // struct vfs_ns_cap_data, version 2 with the effective bit: CAP_NET_RAW is permitted. <linux/capability.h>
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    for (const [path, mode] of [
      [program, 0o755],
      [join(context.path, 'script'), 0o755],
    ] as const)
      chmodSync(path, mode);
    const fd = openSync(program, 'r');
    call(fsetxattr(fd, 'security.capability', capability, 0));
    closeSync(fd);
    const built = await ours(daemon, ['build', '-q', '-t', 'capable', context.path]);
    expect(built.code).toBe(0);
    const found = async (image: string): Promise<Buffer | undefined> => {
      const container = await engine.create(['true'], { Image: image });
      const { body } = await engine.ask('GET', `/containers/${container}/archive?path=/bin/program`);
      let value: Uint8Array | undefined;
      const entry = (each: TarEntry) => {
        value = each.xattrs?.get('security.capability');
      };
      createTarReader({ entry, data: () => {}, end: () => {} }).write(body);
      return value && Buffer.from(value);
    };
    expect(await found('capable')).toEqual(capability);
    // Copied up into a container's own layer, and committed.
    const container = await engine.run(['chmod', '700', '/bin/program'], { Image: 'capable' });
    await engine.wait(container);
    await engine.json('POST', `/commit?container=${container}&repo=capable-too`, {});
    expect(await found('capable-too')).toEqual(capability);
  });

  test('.dockerignore leaves files out, and lines with ! bring some back', async () => {
    using context = newContext({
      '.dockerignore': '*.log\nnode_modules\n!node_modules/keep.js\nDockerfile\n.dockerignore\n',
      Dockerfile: 'FROM busybox\nCOPY . /all\nRUN cd /all && find . -type f | sort\n',
      'a.log': '',
      'sub/b.log': '',
      'node_modules/drop.js': '',
      'node_modules/keep.js': '',
      'main.js': '',
    });
    expect(await built([context.path])).toContain(
      '\n./main.js\n./node_modules/keep.js\n./sub/b.log\nRemoving',
    );
  });

  test('-f, -f -, and a context or a Dockerfile from standard input', async () => {
    using context = newContext({ 'sub/Other': 'FROM busybox\nRUN echo other\n', file: 'from the context' });
    expect(await built(['-f', join(context.path, 'sub/Other'), context.path])).toContain('\nother\n');
    using elsewhere = newContext({ Far: 'FROM busybox\nCOPY file /\nRUN cat /file; ls -a /\n' });
    expect(await built(['-f', join(elsewhere.path, 'Far'), context.path])).toContain('\nfrom the context');
    expect(
      await built(['-f', '-', context.path], { input: 'FROM busybox\nCOPY file /\nRUN cat /file' }),
    ).toContain('from the context');
    const input = tarOf(
      { path: 'Dockerfile', content: 'FROM busybox\nCOPY x /\nRUN cat /x' },
      { path: 'x', content: 'in the tar' },
    );
    expect(await built(['-'], { input })).toContain('in the tar');
    expect((await ours(daemon, ['build', '-f', '-', '-'])).stderr).toContain("can't use stdin for both");
    expect((await ours(daemon, ['build', elsewhere.path])).stderr).toContain('cannot read the Dockerfile');
    expect((await ours(daemon, ['build', '/nowhere'])).stderr).toContain('path "/nowhere" not found');
  });

  test('--quiet prints the id alone, --iidfile writes it', async () => {
    using context = newContext({ Dockerfile: 'FROM busybox\nRUN echo said\n' });
    const iidfile = join(context.path, 'id');
    const said = await built(['-q', '-t', 'quiet', '--iidfile', iidfile, context.path]);
    const { Id } = await inspect('quiet');
    expect(said).toBe(`${Id}\n`);
    expect(readFileSync(iidfile, 'utf8')).toBe(Id);
  });

  test('a mistake in the Dockerfile is shown with its line, before anything is done', async () => {
    const { code, stderr, stdout } = await ours(daemon, ['build', '-'], {
      input: 'FROM busybox\nRUN true\n\nCOPPY a b\n',
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(
      'dockerfile parse error on line 4: unknown instruction: COPPY; did you mean COPY?\n   4 | COPPY a b',
    );
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the Dockerfile's
    const late = await ours(daemon, ['build', '-'], { input: 'FROM busybox\nENV A=${B:?needed}\n' });
    expect(late.stderr).toContain('dockerfile parse error on line 2: B: needed');
  });

  test('the build cache can be pruned', async () => {
    await dockerfile('FROM busybox\nRUN echo unique > /kept\n', '-t', 'kept');
    const pruned = await engine.json<{ CachesDeleted: string[] }>('POST', '/build/prune');
    expect(pruned.CachesDeleted.length).toBeGreaterThan(0);
    expect(await printed('kept', 'cat', '/kept')).toBe('unique\n');
    expect(await dockerfile('FROM busybox\nRUN echo unique > /kept\n')).toContain('Running in');
  });
});

describe('commit', () => {
  test('a container becomes an image: its changes, and none of its own files of /etc or of its volumes', async () => {
    const { stdout: id } = await ours(daemon, [
      ...['run', '-d', '--name', 'source', '-v', '/vol', '-e', 'X=1', 'busybox', 'sh', '-c'],
      'echo changed > /file; rm /bin/vi; echo kept > /vol/x; echo 1.2.3.4 host >> /etc/hosts; echo done; exec sleep 1000',
    ]);
    while (!(await ours(daemon, ['logs', 'source'])).stdout.includes('done'));
    const committed = await ours(daemon, [
      ...[
        'commit',
        '-a',
        'An Author',
        '-m',
        'a message',
        '-c',
        'CMD ["cat", "/file"]',
        '-c',
        'ENV Y="$X and 2"',
      ],
      ...['-c', 'LABEL l=1', 'source', 'committed:v1'],
    ]);
    expect(committed).toMatchObject({ code: 0, stderr: '' });
    const image = await inspect('committed:v1');
    expect(committed.stdout).toBe(`${image.Id}\n`);
    expect(image).toMatchObject({ Author: 'An Author', Comment: 'a message' });
    expect(image.Config).toMatchObject({
      Cmd: ['cat', '/file'],
      Labels: { l: '1' },
      Volumes: { '/vol': {} },
    });
    expect(image.Config.Env).toEqual(expect.arrayContaining(['X=1', 'Y=1 and 2']));
    expect(await printed('committed:v1')).toBe('changed\n');
    const looks = await printed(
      'committed:v1',
      'sh',
      '-c',
      'ls -A /vol; ls -d /vol; grep -c 1.2.3.4 /etc/hosts; ls /bin/vi 2>&1; true',
    );
    expect(looks).toBe('/vol\n0\nls: /bin/vi: No such file or directory\n');
    expect((await engine.inspect(id.trim())).State.Status).toBe('running');
    await ours(daemon, ['rm', '-f', '-v', 'source']);
  });

  test('an instruction that cannot be a change is refused, and no image is made', async () => {
    await ours(daemon, ['create', '--name', 'plain', 'busybox']);
    const before = await images();
    const run = await ours(daemon, ['commit', '-c', 'RUN true', 'plain']);
    expect(run.stderr).toContain('RUN is not a valid change command');
    expect((await ours(daemon, ['commit', '-c', 'ENVV a=b', 'plain'])).stderr).toContain('did you mean ENV?');
    expect((await ours(daemon, ['commit', 'plain', 'Upper:Case'])).stderr).toContain('must be lowercase');
    expect((await ours(daemon, ['commit', 'nosuch'])).stderr).toContain('No such container: nosuch');
    expect(await images()).toEqual(before);
    await ours(daemon, ['rm', 'plain']);
  });
});

describe.skipIf(!hasDocker)("docker's own command", () => {
  test('builds and commits with its classic builder', async () => {
    using context = newContext({
      Dockerfile:
        'ARG V\nFROM busybox\nARG V\nRUN echo "v=$V"; echo err >&2\nCOPY file /file\nCMD cat /file\n',
      file: 'by docker',
      '.dockerignore': 'Dockerfile',
    });
    const first = await dockers(daemon, [
      'build',
      '-t',
      'by-docker',
      '--build-arg',
      'V=7',
      '--label',
      'a=b',
      context.path,
    ]);
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('Step 4/7 : RUN echo "v=$V"; echo err >&2');
    expect(first.stdout).toContain('\nv=7\n');
    expect(first.stdout).toContain('Successfully tagged by-docker:latest');
    const run = await dockers(daemon, ['run', '--rm', '--network', 'none', 'by-docker']);
    expect(run.stdout).toBe('by docker');
    const quiet = await dockers(daemon, [
      'build',
      '-q',
      '--build-arg',
      'V=7',
      '--label',
      'a=b',
      context.path,
    ]);
    expect(quiet.stdout).toBe(`${(await inspect('by-docker')).Id}\n`);
    const failing = await dockers(daemon, ['build', '-'], { input: 'FROM busybox\nRUN exit 9\n' });
    expect(failing.code).toBe(9);
    expect(failing.stderr).toContain("The command '/bin/sh -c exit 9' returned a non-zero code: 9");
    await dockers(daemon, ['create', '--name', 'for-docker', 'busybox']);
    const commit = await dockers(daemon, ['commit', '-m', 'm', '-c', 'USER 5', 'for-docker', 'docker-made']);
    expect(commit.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect((await inspect('docker-made')).Config.User).toBe('5');
    expect((await dockers(daemon, ['builder', 'prune', '-f'])).stdout).toContain('Total reclaimed space');
    await dockers(daemon, ['rm', 'for-docker']);
  });

  test('it takes the classic builder by itself, and fails when it is told to take BuildKit', async () => {
    using context = newContext({ Dockerfile: 'FROM busybox\nLABEL by=itself' });
    const build = (buildKit: string) =>
      dockers(daemon, ['build', '-q', context.path], { env: { DOCKER_BUILDKIT: buildKit } });
    for (const unset of ['', '0']) {
      const { code, stdout } = await build(unset);
      expect([code, stdout.trim()]).toEqual([0, expect.stringMatching(/^sha256:/)]);
    }
    const told = await build('1');
    expect(told.code).not.toBe(0);
    expect(told.stderr).toMatch(/h2c, received 501|buildx component is missing/);
  });

  test('its Dockerfile may lie outside of the context', async () => {
    using context = newContext({ 'file/Dockerfile': 'FROM busybox\nCOPY a /a\n', 'context/a': 'taken' });
    const args = ['build', '-t', 'from-outside', '-f', 'file/Dockerfile', 'context'];
    expect(await dockers(daemon, args, { cwd: context.path })).toMatchObject({ code: 0 });
    const run = await dockers(daemon, ['run', '--rm', '--network', 'none', 'from-outside', 'cat', '/a']);
    expect(run.stdout).toBe('taken');
  });
});

test('system prune takes the build cache with it, and asks before', async () => {
  using context = newContext({ Dockerfile: 'FROM busybox\nRUN true\n' });
  expect((await ours(daemon, ['build', '-q', context.path])).code).toBe(0);
  const asked = await ours(daemon, ['system', 'prune', '--filter', 'label=x'], { input: 'n\n' });
  expect(asked.stdout).toContain(
    '  - all dangling images\n  - all dangling build cache\n\n  Items to be pruned will be filtered with:\n  - label=x\n',
  );
  const filtered = await ours(daemon, ['system', 'prune', '-f', '--filter', 'label=x']);
  expect(filtered.stdout).not.toContain('build cache');
  const refused = await ours(daemon, ['system', 'prune', '-f', '--volumes', '--filter', 'until=1h']);
  expect(refused.stderr).toContain('The "until" filter is not supported with "--volumes"');
  const pruned = await ours(daemon, ['system', 'prune', '-f']);
  expect(pruned.stdout).toContain('Deleted build cache objects:\n');
  const usage = await engine.json<{ BuildCache: object[] }>('GET', '/system/df');
  expect(usage.BuildCache).toEqual([]);
});
