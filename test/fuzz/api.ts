// Requests to the API: bodies with something wrong in them, and paths and queries with strange values.
import { checkAnswer, daemonCases, type Fuzzer } from './fuzzer.ts';
import { mutated, type Random } from './random.ts';

interface Request {
  method: string;
  path: string;
  body?: object;
}

const CREATE = {
  Image: 'busybox',
  Cmd: ['true'],
  Entrypoint: ['sh'],
  Env: ['a=b'],
  Labels: { a: 'b' },
  ExposedPorts: { '80/tcp': {} },
  Volumes: { '/data': {} },
  User: '1:1',
  WorkingDir: '/',
  StopSignal: 'SIGTERM',
  StopTimeout: 1,
  Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000, Retries: 1 },
  HostConfig: {
    NetworkMode: 'none',
    Memory: 67_108_864,
    NanoCpus: 500_000_000,
    PidsLimit: 100,
    Binds: ['fuzz:/x:ro'],
    Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024, Mode: 448 } }],
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'r' }],
    PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
    LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
    SecurityOpt: ['no-new-privileges'],
    CapAdd: ['NET_ADMIN'],
    Sysctls: { 'net.core.somaxconn': '128' },
    Tmpfs: { '/y': 'size=1m' },
    ExtraHosts: ['a:1.2.3.4'],
    Dns: ['127.0.0.1'],
    BlkioWeightDevice: [{ Path: '/dev/null', Weight: 100 }],
    DeviceRequests: [],
    Annotations: { a: 'b' },
  },
  NetworkingConfig: { EndpointsConfig: { none: { Aliases: ['x'], IPAMConfig: { IPv4Address: '' } } } },
};

const BODIES: readonly Request[] = [
  { method: 'POST', path: '/containers/create', body: CREATE },
  { method: 'POST', path: '/containers/create?name=fuzz', body: CREATE },
  {
    method: 'POST',
    path: '/containers/runs/update',
    body: { Memory: 33_554_432, RestartPolicy: { Name: 'no' } },
  },
  {
    method: 'POST',
    path: '/containers/runs/exec',
    body: { Cmd: ['true'], Env: ['a=b'], User: '0', WorkingDir: '/' },
  },
  { method: 'POST', path: '/exec/x/start', body: { Detach: true, Tty: false, ConsoleSize: [1, 2] } },
  {
    method: 'POST',
    path: '/volumes/create',
    body: { Name: 'fuzz', Driver: 'local', DriverOpts: {}, Labels: { a: 'b' } },
  },
  {
    method: 'POST',
    path: '/networks/create',
    body: {
      Name: 'fuzz',
      Driver: 'bridge',
      IPAM: { Config: [{ Subnet: '10.99.0.0/24', Gateway: '10.99.0.1' }] },
      Options: { 'com.docker.network.driver.mtu': '1400' },
    },
  },
  {
    method: 'POST',
    path: '/networks/bridge/connect',
    body: { Container: 'rests', EndpointConfig: { Aliases: ['a'] } },
  },
  { method: 'POST', path: '/networks/bridge/disconnect', body: { Container: 'rests', Force: false } },
  { method: 'POST', path: '/commit?container=rests&repo=fuzz', body: { Cmd: ['x'], Labels: { a: 'b' } } },
  { method: 'POST', path: '/auth', body: { username: 'a', password: 'b', serveraddress: '127.0.0.1:1' } },
];

const PATHS = [
  'GET /containers/ID/json',
  'GET /containers/ID/logs?stdout=1&tail=VALUE&since=VALUE',
  'GET /containers/ID/top?ps_args=VALUE',
  'GET /containers/ID/stats?stream=0',
  'GET /containers/ID/changes',
  'GET /containers/ID/archive?path=VALUE',
  'HEAD /containers/ID/archive?path=VALUE',
  'GET /containers/json?all=1&limit=VALUE&filters=FILTER',
  'POST /containers/ID/resize?h=VALUE&w=VALUE',
  'POST /containers/ID/kill?signal=VALUE',
  'POST /containers/ID/rename?name=VALUE',
  'POST /containers/ID/pause',
  'POST /containers/ID/unpause',
  'GET /images/json?filters=FILTER',
  'GET /images/VALUE/json',
  'GET /images/VALUE/history',
  'GET /images/get?names=VALUE',
  'POST /images/busybox/tag?repo=VALUE&tag=VALUE',
  'DELETE /images/VALUE',
  'POST /images/create?fromSrc=VALUE&repo=VALUE',
  'GET /images/search?limit=VALUE',
  'GET /events?since=VALUE&until=1&filters=FILTER',
  'GET /networks?filters=FILTER',
  'GET /networks/VALUE',
  'DELETE /networks/VALUE',
  'GET /volumes?filters=FILTER',
  'DELETE /volumes/VALUE',
  'GET /exec/VALUE/json',
  'POST /exec/VALUE/resize?h=1&w=1',
  'POST /build?dockerfile=VALUE&t=VALUE&buildargs=VALUE&labels=VALUE&target=VALUE&memory=VALUE',
  'POST /build/prune?filters=FILTER',
  'POST /volumes/prune?filters=FILTER',
  'POST /networks/prune?filters=FILTER',
  'POST /VALUE',
  'GET /vVALUE/info',
];

const VALUES = [
  '',
  'x',
  'rests',
  'runs',
  '%zz',
  '%00',
  '..%2f..%2fetc',
  '-1',
  '1e99',
  '9'.repeat(400),
  '%F0%9F%92%A3',
  'a'.repeat(3000),
  '[',
  '{}',
  'null',
  'sha256:0',
  'a:b:c',
  'A/../B',
  '%ff%fe',
];
const FILTERS = [
  '{',
  '[]',
  'null',
  '{"name":["("]}',
  '{"label":[1]}',
  '{"until":["x"]}',
  '{"dangling":["maybe"]}',
  '{"x":["y"]}',
  '{"name":{"a":true}}',
  '{"before":["nothing"]}',
  '{"status":["dead"]}',
  '{"__proto__":["a"]}',
];

function request(random: Random): Request {
  if (random.chance(0.6)) {
    const { body, ...rest } = random.pick(BODIES);
    let changed: unknown = body;
    for (let times = random.integer(2); times >= 0; times--) changed = mutated(changed, random);
    return { ...rest, body: (changed ?? null) as object };
  }
  const [method = '', path = ''] = random.pick(PATHS).split(' ');
  return {
    method,
    path: path
      .replaceAll('ID', () => random.pick(['runs', 'rests', ...VALUES]))
      .replaceAll('VALUE', () => random.pick(VALUES))
      .replaceAll('FILTER', () => encodeURIComponent(random.pick(FILTERS))),
  };
}

export const fuzzApi: Fuzzer = options =>
  daemonCases(options, {
    async prepare({ client }) {
      await client.run(['sleep', '10000'], { name: 'runs' });
      await client.create(['true'], { name: 'rests' });
    },
    async one({ random, send, finding }) {
      const { method, path, body } = request(random);
      const doing = `${method} ${path.slice(0, 300)} ${body === undefined ? '' : JSON.stringify(body)?.slice(0, 3000)}`;
      const answer = await send(
        method,
        path,
        body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
      );
      if (answer === undefined) return;
      checkAnswer(answer, doing, finding);
      const made = /^\{"Id":"([0-9a-f]{64})"/.exec(answer.body.toString())?.[1];
      if (made === undefined || answer.status !== 201) return;
      const kind = path.startsWith('/networks') ? 'networks' : 'containers';
      if (/create/.test(path)) await send('DELETE', `/${kind}/${made}?force=1&v=1`);
      await send('DELETE', '/volumes/fuzz?force=1');
    },
  });
