import { expect, test } from 'vitest';
import { COMPLAINTS, type ComplaintFacts } from './complaints.ts';
import { findings } from './facts.ts';

const facts: ComplaintFacts = {
  name: 'web',
  lines: [],
  networks: ['front'],
  others: [],
  readonlyRoot: false,
  mounts: [],
  user: 'root',
  pidsLimit: 0,
  networkMode: 'bridge',
  inMemory: [],
  disk: { place: '/var/lib/mini-docker', space: 0.5, files: 0.5 },
};
const found = (more: Partial<ComplaintFacts>) => findings(COMPLAINTS, { ...facts, ...more });

test.each([
  "ping: bad address 'db'",
  'curl: (6) Could not resolve host: db',
  'ssh: Could not resolve hostname db: Name or service not known',
  'ping: db: Temporary failure in name resolution',
  "wget: unable to resolve host address 'db'",
  'Error: getaddrinfo ENOTFOUND db',
  'getaddrinfo EAI_AGAIN db',
  'dial tcp: lookup db on 127.0.0.11:53: no such host',
  'psql: error: could not translate host name "db" to address: Name does not resolve',
  "ERROR 2005 (HY000): Unknown MySQL server host 'db' (-2)",
  'nginx: [emerg] host not found in upstream "db:5432" in /etc/nginx/nginx.conf:3',
  'ping: unknown host db',
  'java.net.UnknownHostException: db',
  "** server can't find db: NXDOMAIN",
])('%s: the name is db', line => {
  const [finding] = found({ lines: ['before', line] });
  expect(finding).toMatchObject({
    code: 'name-not-found',
    evidence: [`its log: ${line}`, 'its networks: front'],
  });
  expect(finding!.sentence).toMatch(/^web found no address for the name db: /);
});

test('what a healthy program says is no complaint', () => {
  const lines = [
    'listening on 0.0.0.0:80',
    'GET /unknown host 200',
    'wrote /data in 3 ms',
    '12 GB free on device',
  ];
  expect(found({ lines })).toEqual([]);
});

test.each([
  ['no-more-processes', "sh: can't fork: Resource temporarily unavailable", { pidsLimit: 3 }],
  ['address-taken', 'bind() to 0.0.0.0:80 failed (98: Address already in use)', { networkMode: 'host' }],
  ['address-taken', 'Error: listen EADDRINUSE: address already in use :::3000', {}],
  [
    'not-allowed-in-mount',
    "touch: cannot touch '/data/x': Permission denied",
    {
      mounts: [{ path: '/data', readonly: false, permissions: 'mode 0755, owner 0, group 0' }],
      user: '1000',
    },
  ],
])('%s: %s', (code, line, more) => {
  expect(found({ lines: [line], ...more }).map(each => each.code)).toEqual([code]);
  // Without what is known of the container, it is the program's affair.
  if (code !== 'address-taken') expect(found({ lines: [line] })).toEqual([]);
});

test('a full disk of the host, in space or in files, is told from one that has room again', () => {
  const lines = ['write /data/x: no space left on device'];
  const sentence = (disk: Partial<ComplaintFacts['disk']>) =>
    found({ lines, disk: { ...facts.disk, ...disk } })[0]!.sentence;
  expect(sentence({ space: 0 })).toContain("the host's disk is full");
  expect(sentence({ files: 0 })).toContain('inodes');
  expect(sentence({})).toContain('has room now');
});

test('the innermost mount of a path counts', () => {
  const mounts = [
    { path: '/data', readonly: true },
    { path: '/data/cache', readonly: false },
  ];
  const lines = ['touch: /data/cache/x: Read-only file system'];
  expect(found({ lines, mounts, readonlyRoot: false })).toEqual([]);
  expect(
    found({ lines: ["sh: can't create /data/x: Read-only file system"], mounts })[0]!.sentence,
  ).toContain('/data is mounted read-only');
});
