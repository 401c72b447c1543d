import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Attachment, ExecsApi, LogEntry } from '../engine/core/engine.ts';
import { badParameter, cannotRun, internal, notFound } from '../formats/errors.ts';
import { decodeTimestamp } from '../formats/timestamp.ts';
import { testServer } from './testing/client.ts';

/** A program whose streams a test holds in its hands. */
function program(options: { tty?: boolean } = {}) {
  const queue: { stream: 'stdout' | 'stderr'; data: Uint8Array }[] = [];
  let wake = Promise.withResolvers<void>();
  let over = false;
  let sent = 0;
  const input: string[] = [];
  const detached = Promise.withResolvers<void>();
  const attachment: Attachment = {
    tty: options.tty ?? false,
    output: (async function* () {
      try {
        for (;;) {
          for (let next = queue.shift(); next; next = queue.shift()) {
            sent += next.data.length;
            yield next;
          }
          if (over) return;
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      } finally {
        detached.resolve();
      }
    })(),
    write: async data => {
      input.push(Buffer.from(data).toString());
    },
    endInput: () => input.push('<end>'),
    detach: () => {
      over = true;
      wake.resolve();
    },
  };
  return {
    attachment,
    input,
    detached: detached.promise,
    sent: () => sent,
    print(text: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout') {
      queue.push({ stream, data: Buffer.from(text) });
      wake.resolve();
    },
    exit() {
      over = true;
      wake.resolve();
    },
  };
}

const upgrade = 'Host: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n';
const attachTo = (program: { attachment: Attachment }) => ({
  containers: { attach: async () => program.attachment },
});
const execOf = (program: { attachment: Attachment }): Pick<ExecsApi, 'inspect' | 'start'> => ({
  inspect: async () => ({ DetachKeys: '', ProcessConfig: { tty: program.attachment.tty } }) as never,
  start: async (_id, { ready }) => {
    await ready?.();
    return program.attachment;
  },
});
const frame = (stream: number, text: string) =>
  `${String.fromCharCode(stream, 0, 0, 0, 0, 0, 0, text.length)}${text}`;

test('attach upgrades the connection and tells the streams apart', async () => {
  const cat = program();
  await using server = await testServer(attachTo(cat));
  const client = server.raw();
  client.say(`POST /v1.47/containers/x/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n${upgrade}\r\n`);
  const head = await client.until('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
  expect(head).toContain('Content-Type: application/vnd.docker.multiplexed-stream\r\n');
  expect(head).toContain('Connection: Upgrade\r\nUpgrade: tcp\r\n');
  cat.print('out');
  cat.print('err', 'stderr');
  cat.exit();
  expect((await client.all()).slice(head.length)).toBe(frame(1, 'out') + frame(2, 'err'));
});

test('output that breaks off says why in the stream', async () => {
  const lost = {
    tty: false,
    output: (async function* () {
      yield { stream: 'stdout' as const, data: Buffer.from('first') };
      throw new Error('the rest is lost');
    })(),
    write: async () => {},
    endInput: () => {},
    detach: () => {},
  };
  await using server = await testServer(attachTo({ attachment: lost }));
  const client = server.raw();
  client.say(`POST /v1.47/containers/x/attach?stream=1&stdout=1 HTTP/1.1\r\n${upgrade}\r\n`);
  const [, body] = (await client.all()).split('\r\n\r\n');

  expect(body).toBe(frame(1, 'first') + frame(3, 'the rest is lost'));
});

test('clients before 1.42, and those of a terminal, get the raw stream type', async () => {
  for (const [version, tty] of [
    ['1.41', false],
    ['1.47', true],
  ] as const) {
    const cat = program({ tty });
    await using server = await testServer(attachTo(cat));
    const client = server.raw();
    client.say(`POST /v${version}/containers/x/attach?stream=1&stdout=1 HTTP/1.1\r\n${upgrade}\r\n`);
    cat.print('hi');
    cat.exit();
    const heard = await client.all();
    expect(heard).toContain('application/vnd.docker.raw-stream');
    expect(heard.split('\r\n\r\n')[1]).toBe(tty ? 'hi' : frame(1, 'hi'));
  }
});

test('input that comes with the head, a body in front of it, and half-close all reach the program rightly', async () => {
  for (const body of [
    'Content-Length: 15\r\n\r\n{"stdin":"true"}'.slice(0, -1),
    'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    '\r\n',
  ]) {
    const cat = program();
    await using server = await testServer(attachTo(cat));
    const client = server.raw();
    client.say(`POST /containers/x/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n${upgrade}${body}first `);
    await client.until('\r\n\r\n');
    client.say('second');
    client.socket.end();
    await expect.poll(() => cat.input.join('')).toBe('first second<end>');
    cat.print('after the end of input');
    await sleep(10);
    cat.exit();
    expect(await client.all()).toMatch(/after the end of input$/);
  }
});

test('without an upgrade the answer is 200 and ends with the connection; the body is the input', async () => {
  const cat = program();
  await using server = await testServer(attachTo(cat));
  const client = server.raw();
  const head = 'Host: d\r\nTransfer-Encoding: chunked\r\n';
  client.say(`POST /containers/x/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n${head}\r\n5\r\nhello\r\n`);
  expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  await expect.poll(() => cat.input.join('')).toBe('hello');
  client.say('0\r\n\r\n');
  await expect.poll(() => cat.input.join('')).toBe('hello<end>');
  cat.print('bye');
  cat.exit();
  const heard = await client.all();
  expect(heard).not.toMatch(/transfer-encoding/i);
  expect(heard.split('\r\n\r\n')[1]).toBe(frame(1, 'bye'));
});

test('without an upgrade, too, what follows the head of attach, or the body of exec, is the input', async () => {
  const json = '{"Detach":false}';
  const type = 'Content-Type: application/json\r\n';
  for (const [request, body] of [
    ['POST /containers/x/attach?stream=1&stdin=1', '\r\n'],
    ['POST /v1.47/containers/x/attach?stream=1&stdin=1', 'Content-Length: 0\r\n\r\n'],
    ['POST /exec/x/start', `${type}Content-Length: ${json.length}\r\n\r\n${json}`],
    [
      'POST /exec/x/start',
      `${type}Transfer-Encoding: chunked\r\n\r\n6\r\n{"Deta\r\na;x=y\r\nch":false}\r\n0\r\n\r\n`,
    ],
  ] as const) {
    const cat = program();
    await using server = await testServer({ ...attachTo(cat), execs: execOf(cat) });
    const client = server.raw();
    client.say(`${request} HTTP/1.1\r\nHost: d\r\n${body}GET /info HTTP/1.1\r\n\r\n`);
    expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    client.say(' and more');
    client.socket.end();
    await expect.poll(() => cat.input.join('')).toBe('GET /info HTTP/1.1\r\n\r\n and more<end>');
    cat.print('bye');
    cat.exit();
    expect((await client.all()).split('\r\n\r\n')[1]).toBe(frame(1, 'bye'));
  }
});

test('Upgrade alone is enough, and another protocol is none that we speak', async () => {
  for (const [headers, status] of [
    ['Upgrade: tcp', '101 UPGRADED'],
    ['Upgrade: TCP\r\nConnection: keep-alive', '101 UPGRADED'],
    ['Upgrade: h2c\r\nConnection: Upgrade', '200 OK'],
  ]) {
    const cat = program();
    await using server = await testServer(attachTo(cat));
    const client = server.raw();
    client.say(`POST /containers/x/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: d\r\n${headers}\r\n\r\n`);
    expect(await client.until('\r\n\r\n')).toContain(`HTTP/1.1 ${status}\r\n`);
    cat.exit();
  }
});

test('the head of an exec is sent before the program is started', async () => {
  const cat = program();
  let heard = '';
  const { inspect, start } = execOf(cat);
  await using server = await testServer({
    execs: {
      inspect,
      start: async (id, options) => {
        const attachment = await start(id, options);
        heard = await client.until('\r\n\r\n');
        cat.print('first bytes');
        cat.exit();
        return attachment;
      },
    },
  });
  const client = server.raw();
  client.say(`POST /exec/x/start HTTP/1.1\r\n${upgrade}\r\n`);
  expect((await client.all()).slice(heard.length)).toBe(frame(1, 'first bytes'));
});

/** `head` is what follows the request line; the answer is an HTTP error, or, for what is no request at all, nothing. */
const MALFORMED = [
  ['POST /containers/%zz/attach', 'Content-Length: 0\r\n\r\n'],
  ['POST /containers/%/attach?stream=%zz', '\r\n'],
  ['POST /v1.47/exec/%e0%a4%a/start', '\r\n'],
  ['POST /v9.99/exec/x/start', '\r\n'],
  ['POST http://host/containers/%zz/attach', '\r\n'],
  ['POST /exec/x/start', 'Content-Length: 99999999999999999999\r\n\r\n'],
  ['POST /exec/x/start', 'Content-Length: 5000000\r\n\r\n'],
  ['POST /exec/x/start', 'Content-Length: -1\r\n\r\n'],
  ['POST /exec/x/start', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['POST /exec/x/start', 'Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{]}'],
  ['POST /exec/x/start', 'Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}'],
  ['POST /exec/x/start', 'Transfer-Encoding: chunked\r\n\r\n-6\r\n\r\n'],
  ['POST /exec/x/start', 'Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n'],
  ['POST /exec/x/start', 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}garbage'],
  ['POST /exec/x/start', `Transfer-Encoding: chunked\r\n\r\n${'1'.repeat(5000)}`],
  ['POST /exec/x/start', `Transfer-Encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(1000)}`],
  [
    'POST /exec/x/start',
    `Transfer-Encoding: chunked\r\n\r\n${'10000\r\n'.padEnd(65545, 'x')}\r\n`.repeat(80),
  ],
  ['POST *', '\r\n'],
  ['POST ?', '\r\n'],
] as const;

test.each(MALFORMED)(
  'a hijacking request that is malformed is refused and let go: %s, %j',
  async (line, head) => {
    for (const kind of [upgrade, 'Host: d\r\n', 'Host: d\r\nUpgrade: tcp\r\n']) {
      const cat = program();
      await using server = await testServer({ ...attachTo(cat), execs: execOf(cat) });
      const client = server.raw();
      client.say(`${line} HTTP/1.1\r\n${kind}${head}`);
      client.socket.end();
      expect(await client.all()).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(server.reported).toEqual([]);
      expect(await server.ask('GET', '/_ping')).toMatchObject({ status: 200 });
    }
  },
);

test('all output arrives before the connection ends, even if the client has sent input that is never read', async () => {
  const yes = program();
  yes.attachment.write = () => new Promise(() => {});
  await using server = await testServer(attachTo(yes));
  const client = server.raw();
  client.say(`POST /containers/x/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n${upgrade}\r\n`);
  const head = await client.until('\r\n\r\n');
  client.say('x'.repeat(1_000_000));
  const chunk = Buffer.alloc(60_000, 'y');
  for (let i = 0; i < 200; i++) yes.print(chunk);
  yes.exit();
  expect((await client.all()).length).toBe(head.length + 200 * (60_000 + 8));
});

test("a client that does not read holds the output back instead of filling the daemon's memory", async () => {
  const yes = program();
  await using server = await testServer(attachTo(yes));
  const client = server.raw();
  client.socket.pause();
  client.say(`POST /containers/x/attach?stream=1&stdout=1 HTTP/1.1\r\n${upgrade}\r\n`);
  for (let i = 0; i < 500; i++) yes.print(Buffer.alloc(60_000));
  await sleep(200);
  expect(yes.sent()).toBeLessThan(3_000_000);
  client.socket.destroy();
  await yes.detached;
});

test('a client that goes away is detached, even if the program prints nothing', async () => {
  const quiet = program();
  await using server = await testServer(attachTo(quiet));
  const client = server.raw();
  client.say(`POST /containers/x/attach?stream=1&stdout=1 HTTP/1.1\r\n${upgrade}\r\n`);
  await client.until('\r\n\r\n');
  client.socket.destroy();
  await quiet.detached;
});

test('typing the detach keys on a terminal leaves the program running and ends the connection', async () => {
  const shell = program({ tty: true });
  await using server = await testServer(attachTo(shell));
  const client = server.raw();
  client.say(
    `POST /containers/x/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-a,q HTTP/1.1\r\n${upgrade}\r\n`,
  );
  await client.until('\r\n\r\n');
  client.say('ls\x01x\x01');
  await sleep(10);
  client.say('qignored');
  await client.all();
  expect(shell.input.join('')).toBe('ls\x01x');
});

test('bad detach keys are 400, and a container that is not there 404, before anything is upgraded', async () => {
  await using server = await testServer({
    containers: {
      attach: async () => {
        throw notFound('No such container: x');
      },
    },
  });
  for (const [query, status] of [
    ['?detachKeys=ctrl-%C3%A9', 400],
    ['', 404],
  ] as const) {
    const client = server.raw();
    client.say(`POST /containers/x/attach${query} HTTP/1.1\r\n${upgrade}Content-Length: 2\r\n\r\n{}`);
    const heard = await client.all();
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(heard).toMatch(/Content-Length: \d+\r\n/);
    // dockerd's errors of an attach are plain text.
    expect(heard.split('\r\n\r\n')[1]).toMatch(/^(No such container: x|[^{]*detach keys[^}]*)\r\n$/);
  }
});

test('exec start reads its body, upgrades, and a program that cannot run is told in the stream', async () => {
  const cat = program();
  const started: unknown[] = [];
  const inspected = { DetachKeys: '', ProcessConfig: { tty: false } };
  await using server = await testServer({
    execs: {
      inspect: async () => inspected as never,
      start: async (id, options) => {
        const { ready, ...rest } = options;
        started.push([id, rest]);
        await ready?.();
        if (id === 'bad') throw cannotRun('exec: "nope": not found', { exitCode: 127 });
        return options.detach ? undefined : cat.attachment;
      },
    },
  });
  const body = '{"Detach":false,"Tty":false}';
  const request = (id: string) =>
    `POST /exec/${id}/start HTTP/1.1\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const client = server.raw();
  client.say(`${request('good')}${body.slice(0, 10)}`);
  await sleep(10);
  client.say(`${body.slice(10)}input`);
  await client.until('101 UPGRADED');
  await expect.poll(() => cat.input.join('')).toBe('input');
  cat.print('done');
  cat.exit();
  expect((await client.all()).split('\r\n\r\n')[1]).toBe(frame(1, 'done'));

  const other = server.raw();
  other.say(`${request('bad')}${body}`);
  expect(await other.all()).toContain(frame(2, 'exec: "nope": not found\r\n'));

  expect(await server.ask('POST', '/exec/good/start', { body: { Detach: true } })).toMatchObject({
    status: 200,
    text: '',
  });
  expect(started).toEqual([
    ['good', { detach: false, tty: false }],
    ['bad', { detach: false, tty: false }],
    ['good', { detach: true }],
  ]);
});

test('wait sends its head at once and its body when the container ends', async () => {
  const exit = Promise.withResolvers<{ StatusCode: number }>();
  const conditions: unknown[] = [];
  await using server = await testServer({
    containers: {
      wait: async (_id, options) => {
        conditions.push(options?.condition);
        return { result: exit.promise };
      },
    },
  });
  const client = server.raw();
  client.say('POST /v1.47/containers/x/wait?condition=next-exit HTTP/1.1\r\nHost: d\r\n\r\n');
  await client.until('\r\n\r\n');
  const old = server.raw();
  old.say('POST /v1.29/containers/x/wait?condition=next-exit HTTP/1.1\r\nHost: d\r\n\r\n');
  await sleep(20);
  expect(old.heard()).toBe('');
  exit.resolve({ StatusCode: 3 });
  await client.until('{"StatusCode":3}\n');
  await old.until('{"StatusCode":3}\n');
  expect(conditions).toEqual(['next-exit', undefined]);
  expect(await server.ask('POST', '/containers/x/wait?condition=never')).toMatchObject({
    status: 400,
    json: { message: 'invalid condition: "never"' },
  });
});

test('logs are framed, or not on a terminal, with timestamps where asked for, and options arrive', async () => {
  const asked: unknown[] = [];
  let tty = false;
  await using server = await testServer({
    containers: {
      logs: async (_id, { signal: _, ...options }) => {
        asked.push(options);
        return {
          tty,
          details: {},
          entries: (async function* (): AsyncGenerator<LogEntry> {
            yield {
              stream: 'stderr',
              time: decodeTimestamp('2026-01-02T03:04:05.6Z')!,
              data: Buffer.from('line\n'),
            };
          })(),
        };
      },
    },
  });
  const path = '/containers/x/logs?stdout=1&stderr=true&since=1700000000.25&until=0&tail=5';
  expect((await server.ask('GET', path)).text).toBe(frame(2, 'line\n'));
  expect((await server.ask('GET', `${path}&timestamps=1`)).text).toBe(
    frame(2, '2026-01-02T03:04:05.600000000Z line\n'),
  );
  tty = true;
  expect(await server.ask('GET', '/containers/x/logs?stdout=1&tail=all&follow=1')).toMatchObject({
    text: 'line\n',
    headers: { 'content-type': 'application/vnd.docker.raw-stream' },
  });
  const first = { stdout: true, stderr: true, since: 1_700_000_000_250_000_000n, tail: 5, follow: false };
  expect(asked).toEqual([first, first, { stdout: true, stderr: false, follow: true }]);
  expect(await server.ask('GET', '/containers/x/logs')).toMatchObject({ status: 400 });
  expect(await server.ask('GET', '/containers/x/logs?stdout=1&since=noon')).toMatchObject({ status: 400 });
});

test('a client that leaves while it follows logs, stats or events gives everything back', async () => {
  const given: string[] = [];
  async function* follow(name: string, signal: AbortSignal): AsyncGenerator<never> {
    try {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    } finally {
      given.push(name);
    }
  }
  await using server = await testServer({
    containers: {
      logs: async (_id, options) => ({ tty: true, details: {}, entries: follow('logs', options.signal!) }),
      stats: async () =>
        (async function* () {
          try {
            for (;;) {
              yield { read: 'now' } as never;
              await sleep(5);
            }
          } finally {
            given.push('stats');
          }
        })(),
    },
    system: { events: options => follow('events', options.signal!) },
  });
  for (const path of ['/containers/x/logs?follow=1&stdout=1', '/containers/x/stats', '/events']) {
    const client = server.raw();
    client.say(`GET ${path} HTTP/1.1\r\nHost: d\r\n\r\n`);
    await client.until('\r\n\r\n');
    client.socket.destroy();
  }
  await expect.poll(() => given.toSorted()).toEqual(['events', 'logs', 'stats']);
  expect(server.reported).toEqual([]);
});

test('stats are a stream of lines, or one object', async () => {
  const asked: unknown[] = [];
  await using server = await testServer({
    containers: {
      stats: async (_id, options) => {
        asked.push(options);
        return (async function* () {
          yield { read: '1' } as never;
          yield { read: '2' } as never;
        })();
      },
    },
  });
  expect((await server.ask('GET', '/containers/x/stats')).text).toBe('{"read":"1"}\n{"read":"2"}\n');
  expect((await server.ask('GET', '/containers/x/stats?stream=false&one-shot=1')).json).toEqual({
    read: '1',
  });
  expect(asked).toEqual([
    { stream: true, oneShot: false },
    { stream: false, oneShot: true },
  ]);
  expect(await server.ask('GET', '/containers/x/stats?one-shot=1')).toMatchObject({ status: 400 });
});

test('an archive goes both ways, with what it is of in a header', async () => {
  const stat = { name: 'f', size: 3, mode: 0o644, mtime: '2026-01-02T03:04:05Z', linkTarget: '' };
  const got: unknown[] = [];
  await using server = await testServer({
    containers: {
      statPath: async () => stat,
      getArchive: async () => ({
        stat,
        tar: (async function* () {
          yield Buffer.from('tar');
        })(),
      }),
      putArchive: async (_id, path, { tar, ...options }) => {
        let text = '';
        for await (const chunk of tar) {
          text += Buffer.from(chunk).toString();
          if (text.startsWith('bad')) throw badParameter('not a tar');
        }
        got.push([path, text, options]);
      },
    },
  });
  const header = Buffer.from(JSON.stringify(stat)).toString('base64');
  const path = '/containers/x/archive?path=/tmp/f';
  expect((await server.ask('HEAD', path)).headers['x-docker-container-path-stat']).toBe(header);
  const reply = await server.ask('GET', path);
  expect(reply.text).toBe('tar');
  expect(reply.headers).toMatchObject({
    'x-docker-container-path-stat': header,
    'content-type': 'application/x-tar',
  });
  const put = (body: string) =>
    server.ask('PUT', `${path}&copyUIDGID=1`, { body, headers: { 'Content-Type': 'application/x-tar' } });
  expect(await put('archive')).toMatchObject({ status: 200 });
  expect(got).toEqual([['/tmp/f', 'archive', { noOverwriteDirNonDir: false, copyUIDGID: true }]]);
  expect(await put(`bad${'x'.repeat(5_000_000)}`)).toMatchObject({
    status: 400,
    json: { message: 'not a tar' },
  });
  expect(await server.ask('GET', '/containers/x/archive')).toMatchObject({ status: 400 });
});

test('filters are understood in both of the forms that clients send', async () => {
  const asked: unknown[] = [];
  await using server = await testServer({
    containers: {
      list: async options => {
        asked.push(options);
        return [];
      },
    },
  });
  const list = (query: object) =>
    server.ask('GET', `/containers/json?${new URLSearchParams(Object.entries(query))}`);
  await list({ filters: '{"label":["a=b","c"]}', all: 'true', limit: '3' });
  await list({ filters: '{"label":{"a=b":true,"c":true}}', all: '0', limit: '-1', size: '1' });
  expect(asked).toEqual([
    { all: true, size: false, filters: { label: ['a=b', 'c'] }, limit: 3 },
    { all: false, size: true, filters: { label: ['a=b', 'c'] } },
  ]);
  for (const filters of ['x', '[]', '"a"', '{"label":"a"}', '{"label":[1]}']) {
    expect(await list({ filters }), filters).toMatchObject({ status: 400 });
  }
  expect(await list({ limit: 'x' })).toMatchObject({
    status: 400,
    json: { message: 'invalid value "x" for limit: must be an integer' },
  });
});

test('a pull streams what the engine tells; what goes wrong before that is a status, and later a message', async () => {
  const asked: unknown[] = [];
  await using server = await testServer({
    images: {
      pull: async (name, { send, signal: _, ...options }) => {
        asked.push([name, options]);
        if (name.startsWith('nothing')) throw notFound('no such thing');
        send({ status: 'Pulling from x', id: 'latest' });
        if (name.startsWith('half')) throw internal('it broke off');
      },
    },
  });
  const auth = Buffer.from('{"username":"me","password":"secret"}').toString('base64url');
  const headers = { 'X-Registry-Auth': auth };
  expect(await server.ask('POST', '/images/create?fromImage=a/x&tag=1', { headers })).toMatchObject({
    status: 200,
    json: { status: 'Pulling from x', id: 'latest' },
  });
  const digest = `sha256:${'a'.repeat(64)}`;
  await server.ask('POST', `/images/create?fromImage=x&tag=${digest}&platform=linux/arm64`);
  await server.ask('POST', '/images/create?fromImage=localhost:5000/x');
  expect(asked).toEqual([
    ['a/x:1', { auth: { username: 'me', password: 'secret' }, allTags: false }],
    [`x@${digest}`, { platform: 'linux/arm64', allTags: false }],
    ['localhost:5000/x', { allTags: true }],
  ]);
  expect(await server.ask('POST', '/images/create?fromImage=nothing')).toMatchObject({
    status: 404,
    json: { message: 'no such thing' },
  });
  const { status, text } = await server.ask('POST', '/images/create?fromImage=half&tag=1');
  expect(status).toBe(200);
  expect(JSON.parse(text.trim().split('\n')[1]!)).toEqual({
    errorDetail: { message: 'it broke off' },
    error: 'it broke off',
  });
  expect(
    await server.ask('POST', '/images/create?fromImage=x', { headers: { 'X-Registry-Auth': 'e30x' } }),
  ).toMatchObject({ status: 400 });
});
