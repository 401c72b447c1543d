// The name server at 127.0.0.11, asked from inside containers.
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { type Place, useNetworkHosts } from '../../../test/support/network-hosts.ts';

const hosts = useNetworkHosts();
const { container } = hosts;

/** A resolver in a place: it prints one line of JSON for each name, { result or error code, ms }. */
const RESOLVER = `
  const { Resolver } = require('dns').promises;
  const resolver = new Resolver({ timeout: 1500, tries: 1 });
  resolver.setServers(['127.0.0.11']);
  (async () => {
    const results = [];
    for (const question of process.argv.slice(1)) {
      const [kind, name] = question.split(':');
      const begun = performance.now();
      const result = await (kind === 'PTR' ? resolver.reverse(name) : resolver.resolve(name, kind)).catch(error => error.code);
      results.push({ result, ms: performance.now() - begun });
    }
    console.log(JSON.stringify(results));
  })();`;

function lookUp(from: Place & object, ...questions: string[]): Promise<{ result: unknown; ms: number }[]> {
  const args = [`--net=/proc/${from.pid}/ns/net`, process.execPath, '-e', RESOLVER, ...questions];
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', chunk => {
    output += chunk;
  });
  return new Promise(resolve => child.once('close', () => resolve(JSON.parse(output))));
}

const results = async (from: Place & object, ...questions: string[]): Promise<unknown[]> =>
  (await lookUp(from, ...questions)).map(each => each.result);

test('containers of a network find each other by name, alias and id, and not those of others', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await hosts.networks.create({ Name: 'depot' });
  await using web = await container({ network: 'shop', name: 'web', aliases: ['www', 'front'] });
  await using db = await container({ network: 'shop', name: 'db' });
  await using far = await container({ network: 'depot', name: 'far' });
  expect(web.endpoint.dnsNames).toEqual(['web', 'www', 'front', web.id.slice(0, 12)]);
  expect(
    await results(
      db,
      'A:web',
      'A:WWW',
      'A:front.shop',
      `A:${web.id.slice(0, 12)}`,
      'A:db',
      'AAAA:web',
      'PTR:172.18.0.2',
    ),
  ).toEqual([
    ['172.18.0.2'],
    ['172.18.0.2'],
    ['172.18.0.2'],
    ['172.18.0.2'],
    ['172.18.0.3'],
    'ENODATA',
    ['web.shop'],
  ]);
  expect(await results(far, 'A:web', 'A:far')).toEqual([expect.stringMatching(/^E/), ['172.19.0.2']]);
});

test('names follow connecting, disconnecting, renaming and ending', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using asker = await container({ network: 'shop', name: 'asker' });
  {
    await using web = await container({ name: 'web' });
    await hosts.networks.attach({ network: 'shop', containerId: web.id, containerName: 'web', pid: web.pid });
    expect(await results(asker, 'A:web')).toEqual([['172.18.0.3']]);
    expect(await results(web, 'A:asker')).toEqual([['172.18.0.2']]);
    hosts.networks.rename(web.id, 'site');
    expect(await results(asker, 'A:web', 'A:site')).toEqual([expect.stringMatching(/^E/), ['172.18.0.3']]);
    await hosts.networks.detach(web.id, 'shop');
    expect(await results(asker, 'A:site')).toEqual([expect.stringMatching(/^E/)]);
  }
});

test('an alias that several have gives all their addresses', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using a = await container({ network: 'shop', aliases: ['api'] });
  await using b = await container({ network: 'shop', aliases: ['api'] });
  const answers = (await results(a, 'A:api', 'A:api')) as string[][];
  for (const each of answers) expect(each.toSorted()).toEqual(['172.18.0.2', '172.18.0.3']);
  void b;
});

test("a link's alias is known to the container that has the link", async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using db = await container({ network: 'shop', name: 'postgres1' });
  await using web = await container({ network: 'shop', links: { db: 'postgres1' } });
  await using other = await container({ network: 'shop' });
  expect(await results(web, 'A:db')).toEqual([[db.endpoint.ipAddress]]);
  expect(await results(other, 'A:db')).toEqual([expect.stringMatching(/^E/)]);
});

test('other names are asked of the servers the user gave', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await hosts.networks.create({ Name: 'vault', Internal: true });
  // A server on this host, that has 192.0.2.80 for everything.
  const server = createSocket('udp4');
  server.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const head = Buffer.concat([
      query.subarray(0, 2),
      Buffer.from('818000010001000000000000', 'hex').subarray(0, 10),
    ]);
    const record = Buffer.from('c00c000100010000003c0004c0000250', 'hex');
    server.send(Buffer.concat([head, query.subarray(12, end), record]), from.port, from.address);
  });
  await new Promise<void>(done => server.bind(5399, '127.0.0.1', done));
  try {
    const dns = { servers: ['127.0.0.1#5399'] };
    await using web = await container({ network: 'shop', dns });
    await using shut = await container({ network: 'vault', dns });
    expect(await results(web, 'A:www.example.com')).toEqual([['192.0.2.80']]);
    // From an internal network not even a question leaves.
    expect(await results(shut, 'A:www.example.com')).toEqual(['ENOTFOUND']);
  } finally {
    server.close();
  }
});

test('a program in the container can have port 53 for itself', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using web = await container({ network: 'shop', name: 'web' });
  const script = `const s = require('dgram').createSocket('udp4'); s.bind(53, () => { require('net').createServer().listen(53, () => { console.log('has it'); process.exit(); }); });`;
  const output = execFileSync('nsenter', [`--net=/proc/${web.pid}/ns/net`, process.execPath, '-e', script], {
    encoding: 'utf8',
  });
  expect(output).toBe('has it\n');
  expect(await results(web, 'A:web')).toEqual([['172.18.0.2']]);
});

test('the next daemon answers in the containers of the last one', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using web = await container({ network: 'shop', name: 'web' });
  await hosts.networks.close();
  expect(await results(web, 'A:web')).toEqual([expect.stringMatching(/^E/)]);
  hosts.reopen();
  await hosts.networks.adopt([{ containerId: web.id, pid: web.pid }]);
  expect(await results(web, 'A:web')).toEqual([['172.18.0.2']]);
});

test('an answer takes less than a millisecond', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using web = await container({ network: 'shop', name: 'web' });
  const times = (await lookUp(web, ...Array<string>(200).fill('A:web')))
    .map(each => each.ms)
    .sort((a, b) => a - b);
  expect(times[100]).toBeLessThan(1);
});
