import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type ErrorKind, ExpectedError, notModified } from '../formats/errors.ts';
import { listen } from './listen.ts';
import { testServer } from './testing/client.ts';
import { pretendEngine } from './testing/pretend-engine.ts';

test('a client learns the version from every answer, with and without a version in the path', async () => {
  await using server = await testServer({});
  for (const [method, path] of [
    ['GET', '/_ping'],
    ['HEAD', '/_ping'],
    ['GET', '/v1.12/_ping'],
    ['GET', '/v1.47/_ping'],
    ['GET', '/nothing/here'],
  ] as const) {
    const { headers } = await server.ask(method, path);
    expect(headers).toMatchObject({
      'api-version': '1.47',
      ostype: 'linux',
      'docker-experimental': 'false',
      server: 'mini-docker/1.2.3 (linux)',
    });
  }
  expect(await server.ask('GET', '/_ping')).toMatchObject({ status: 200, text: 'OK' });
  expect(await server.ask('HEAD', '/_ping')).toMatchObject({ status: 200, text: '' });
});

test('a client that is too new or too old is told which versions there are', async () => {
  await using server = await testServer({});
  expect(await server.ask('GET', '/v1.48/version')).toMatchObject({
    status: 400,
    json: { message: 'client version 1.48 is too new. Maximum supported API version is 1.47' },
  });
  expect(await server.ask('GET', '/v2.0/version')).toMatchObject({ status: 400 });
  const tooOld = await server.ask('GET', '/v1.11/version');
  expect(tooOld.status).toBe(400);
  expect(tooOld.text).toMatch(/^client version 1\.11 is too old\. Minimum supported API version is 1\.12,/);
});

test('/version names the versions of the API', async () => {
  await using server = await testServer({});
  const { json } = await server.ask('GET', '/version');
  expect(json).toMatchObject({ Version: '1.2.3', ApiVersion: '1.47', MinAPIVersion: '1.12' });
  expect(json.Components[0].Details).toMatchObject({ ApiVersion: '1.47' });
});

test("what is not there is Docker's 404, and what is missing says so", async () => {
  await using server = await testServer({});
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/v1.47'],
    ['GET', '/v1.47/'],
    ['PUT', '/containers/json'],
    ['GET', '/containers'],
    ['GET', '/_ping/x'],
  ]) {
    expect(await server.ask(method!, path!), `${method} ${path}`).toMatchObject({
      status: 404,
      json: { message: 'page not found' },
    });
  }
  expect(await server.ask('POST', '/build')).toMatchObject({ status: 501 });
  expect(await server.ask('POST', '/auth', { body: {} })).toMatchObject({
    status: 501,
  });
});

test('what only a swarm or a plugin could answer is what dockerd says that has neither', async () => {
  await using server = await testServer({});
  for (const kind of ['nodes', 'services', 'tasks', 'secrets', 'configs']) {
    for (const [method, path] of [
      ['GET', `/${kind}`],
      ['GET', `/${kind}/x`],
      ['POST', `/${kind}/create`],
      ['POST', `/${kind}/x/update?version=1`],
      ['DELETE', `/${kind}/x`],
    ] as const) {
      expect(await server.ask(method, path), `${method} ${path}`).toMatchObject({
        status: 503,
        json: {
          message: expect.stringMatching(/^This node is not a swarm manager\. Use "docker swarm init"/),
        },
      });
    }
  }
  expect(await server.ask('POST', '/swarm/leave?force=1')).toMatchObject({
    status: 503,
    json: { message: 'This node is not part of a swarm' },
  });
  expect(await server.ask('GET', '/plugins')).toMatchObject({ status: 200, json: [] });
  expect(await server.ask('GET', '/plugins/vieux/sshfs:latest/json')).toMatchObject({
    status: 404,
    json: { message: 'plugin "vieux/sshfs:latest" not found' },
  });
});

test('errors before 1.24 are plain text', async () => {
  await using server = await testServer({});
  const { status, text, headers } = await server.ask('GET', '/v1.23/nothing');
  expect({ status, text, type: headers['content-type'] }).toEqual({
    status: 404,
    text: 'page not found\n',
    type: 'text/plain; charset=utf-8',
  });
});

test('OPTIONS is answered for every path, as dockerd does', async () => {
  await using server = await testServer({});
  for (const path of ['/info', '/v1.47/containers/x/attach', '/nothing/here', '*'])
    expect(await server.ask('OPTIONS', path), path).toMatchObject({ status: 200, text: '' });
  expect(await server.ask('OPTIONS', '/v9.99/info')).toMatchObject({ status: 400 });
});

test("an engine error becomes its status, and its message Docker's error body", async () => {
  const statuses: [ErrorKind, number][] = [
    ['badParameter', 400],
    ['cannotRun', 400],
    ['forbidden', 403],
    ['notFound', 404],
    ['conflict', 409],
    ['internal', 500],
    ['notImplemented', 501],
    ['unavailable', 503],
  ];
  for (const [kind, status] of statuses) {
    await using server = await testServer({
      containers: {
        pause: async () => {
          throw new ExpectedError(kind, 'because');
        },
      },
    });
    expect(await server.ask('POST', '/containers/x/pause')).toMatchObject({
      status,
      json: { message: 'because' },
    });
  }
});

test('what is so already is 304 without a body', async () => {
  await using server = await testServer({
    containers: {
      start: async () => {
        throw notModified('runs already');
      },
    },
  });
  const { status, text, headers } = await server.ask('POST', '/containers/x/start');
  expect({ status, text, type: headers['content-type'] }).toEqual({ status: 304, text: '', type: undefined });
});

test('an unexpected exception is answered by 500 and one line, and is reported with its stack', async () => {
  await using server = await testServer({
    containers: {
      top: async () => {
        throw new TypeError('cannot read x\nof undefined');
      },
    },
  });
  expect(await server.ask('GET', '/containers/x/top')).toMatchObject({
    status: 500,
    json: { message: 'cannot read x' },
  });
  expect(server.reported).toHaveLength(1);
  expect(await server.ask('GET', '/_ping')).toMatchObject({ status: 200 });
});

test('an answer that fails half way is cut off, not made to look whole', async () => {
  await using server = await testServer({
    containers: {
      export: async () =>
        (async function* () {
          yield Buffer.from('half');
          await sleep(5);
          throw new Error('disk on fire');
        })(),
    },
  });
  await expect(server.ask('GET', '/containers/x/export')).rejects.toThrow(/aborted|hang up/);
});

test('two hosts or a malformed one are refused, and a path with empty segments is redirected', async () => {
  await using server = await testServer({});
  const head = async (path: string, ...hosts: string[]) => {
    const client = server.raw();
    client.say(
      `GET ${path} HTTP/1.1\r\n${hosts.map(host => `Host: ${host}\r\n`).join('')}Connection: close\r\n\r\n`,
    );
    return client.all();
  };
  expect(await head('/_ping', 'a', 'b')).toMatch(/^HTTP\/1.1 400 [\s\S]*too many Host headers/);
  expect(await head('/_ping', 'a b')).toMatch(/^HTTP\/1.1 400 [\s\S]*malformed Host header/);
  expect(await head('/plugins', '[::1]:2375')).toMatch(/^HTTP\/1.1 200 /);
  expect(await head('//containers/../_ping?a=//', 'a')).toMatch(
    /^HTTP\/1.1 301 [\s\S]*\nLocation: \/_ping\?a=\/\/\r/,
  );
});

test('malformed JSON, a wrong type and a wrong content type are 400 and name the place', async () => {
  await using server = await testServer({});
  const create = async (body: string, type = 'application/json') => {
    const { status, json } = await server.ask('POST', '/containers/create', {
      body,
      headers: { 'Content-Type': type },
    });
    return `${status} ${json.message}`;
  };
  expect(await create('{bad')).toMatch(/^400 invalid JSON: /);
  expect(await create('')).toBe('400 invalid JSON: got EOF while reading request body');
  expect(await create('{}')).toBe('400 Config cannot be empty in order to create a container');
  expect(await create('[]')).toBe('400 invalid JSON: the body must be an object, not []');
  expect(await create('{"Image":5}')).toBe('400 invalid JSON: Image must be a string, not 5');
  expect(await create('{"hostconfig":{"Memory":"1g"}}')).toBe(
    '400 invalid JSON: HostConfig.Memory must be an integer, not "1g"',
  );
  expect(await create('{"Image":"a","Env":["A=1","B\\u0000"]}')).toMatch(
    /^400 invalid JSON: Env\[1\] must be a string without NUL/,
  );
  expect(await create('{"Image":"a"}', 'text/plain')).toBe(
    `400 unsupported Content-Type header (text/plain): must be 'application/json'`,
  );
});

test('a body that is too large is refused, and the client that still sends it gets the answer', async () => {
  await using server = await testServer({});
  const body = `{"Image":"${'x'.repeat(5 * 1024 * 1024)}"}`;
  expect(await server.ask('POST', '/containers/create', { body })).toMatchObject({
    status: 413,
    json: { message: 'request body is larger than 4194304 bytes' },
  });
});

test('names of images have slashes, names in paths are decoded, and a broken escape is 400', async () => {
  const asked: string[] = [];
  await using server = await testServer({
    images: {
      history: async name => {
        asked.push(name);
        return [];
      },
    },
  });
  await server.ask('GET', '/v1.40/images/localhost:5000/team/app:1.2/history');
  await server.ask('GET', '/images/team%2Fapp/history');
  await server.ask('GET', '/images/json/history');
  expect(asked).toEqual(['localhost:5000/team/app:1.2', 'team/app', 'json']);
  expect(await server.ask('GET', '/containers/%zz/json')).toMatchObject({ status: 400 });
});

test('clients that are slow, cut off or talk nonsense do not disturb others', async () => {
  await using server = await testServer({});
  const slow = server.raw();
  slow.say(
    'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"Im',
  );
  const cutOff = server.raw();
  cutOff.say('POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{"Im');
  await sleep(20);
  cutOff.socket.destroy();
  const nonsense = server.raw();
  nonsense.say('\x16\x03\x01nonsense\r\n\r\n');
  expect(await nonsense.all()).toMatch(/^HTTP\/1\.1 400 Bad Request/);
  expect(await server.ask('GET', '/_ping')).toMatchObject({ status: 200 });
  expect(server.reported).toEqual([]);
});

test('an upgrade to something else than tcp is not for us: the request is answered as it is', async () => {
  await using server = await testServer({});
  const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'x' };
  expect(await server.ask('GET', '/_ping', { headers })).toMatchObject({ status: 200, text: 'OK' });
  expect(
    await server.ask('GET', '/_ping', { headers: { Connection: 'Upgrade', Upgrade: 'tcp' } }),
  ).toMatchObject({
    status: 200,
  });
});

test('only root and the group may open the socket', async () => {
  await using server = await testServer({});
  expect((statSync(server.socket).mode & 0o777).toString(8)).toBe('660');
});

test('the socket of a daemon that was killed is replaced, that of a living one and other files are not', async () => {
  await using server = await testServer({});
  const engine = pretendEngine({});
  await expect(listen({ engine, host: `unix://${server.socket}` })).rejects.toThrow(
    `cannot listen on ${server.socket}: another daemon is listening there`,
  );
  const file = join(server.socket, '../file');
  writeFileSync(file, 'precious');
  await expect(listen({ engine, host: `unix://${file}` })).rejects.toThrow('not a socket');
  expect(readFileSync(file, 'utf8')).toBe('precious');

  const stale = join(server.socket, '../stale.sock');
  await leaveStaleSocket(stale);
  const listening = await listen({ engine, host: `unix://${stale}` });
  await listening.close();
});

test('the API is served over TCP where that is asked for', async () => {
  const listening = await listen({ engine: pretendEngine({}), host: 'tcp://127.0.0.1:0' });
  try {
    const reply = await fetch(`${listening.host.replace('tcp', 'http')}/_ping`);
    expect(await reply.text()).toBe('OK');
  } finally {
    await listening.close();
  }
  await expect(listen({ engine: pretendEngine({}), host: 'http://x' })).rejects.toThrow(
    'must be unix:///path, tcp://address:port or fd://',
  );
});

/** Binds, and takes the file away while node closes, since node removes it. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { linkSync } = await import('node:fs');
  const other = createServer().listen({ path: `${path}.other` });
  await new Promise(resolve => other.once('listening', resolve));
  linkSync(`${path}.other`, path);
  await new Promise(resolve => other.close(resolve));
}
