// The shapes of a daemon's answers: their fields and the fields' types. golden/api-shapes.txt holds those of
// dockerd; `node test/support/api-shapes.ts SOCKET` prints those of the daemon on that socket, which must
// have an image busybox:latest.
import { request } from 'node:http';

/** Lines such as 'inspect .State.Pid number', one for every field of every answer. */
export type Shapes = Set<string>;

/** Maps whose keys the user or the machine chose: only the shape of their values counts. */
const MAPS =
  /\.(Labels|Networks|Ports|ExposedPorts|Runtimes|IndexConfigs|networks|stats|Attributes|Details|Data|Containers|Options)$/;

function addShape(shapes: Shapes, path: string, value: unknown): void {
  if (value === null || typeof value !== 'object') {
    shapes.add(`${path} ${value === null ? 'null' : typeof value}`);
  } else if (Array.isArray(value)) {
    shapes.add(`${path} list`);
    for (const each of value) addShape(shapes, `${path}[]`, each);
  } else {
    shapes.add(`${path} object`);
    for (const [key, each] of Object.entries(value))
      addShape(shapes, `${path}.${MAPS.test(path) ? '*' : key}`, each);
  }
}

/** Takes a container through its life and records the shape of every relevant answer. */
export async function collectShapes(socket: string): Promise<Shapes> {
  const shapes: Shapes = new Set();
  const ask = async (method: string, path: string, body?: object) => {
    const { status, text } = await send({ socket, method, path: `/v1.41${path}`, body });
    if (status >= 400) throw new Error(`${method} ${path} answered ${status}: ${text}`);
    return text;
  };
  const record = async (name: string, method: string, path: string, body?: object) => {
    const value = JSON.parse(await ask(method, path, body));
    addShape(shapes, `${name} `, value);
    return value;
  };
  const began = Math.floor(Date.now() / 1000) - 1;
  const { Id } = await record('create', 'POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['sh', '-c', 'echo hi; touch /new; sleep 1000'],
    Env: ['A=B'],
    Labels: { a: 'b' },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { Memory: 64 * 1024 * 1024, Binds: ['/etc:/host-etc:ro'] },
  });
  const at = `/containers/${Id}`;
  await ask('POST', `${at}/start`);
  await record('inspect', 'GET', `${at}/json?size=1`);
  await record('list', 'GET', '/containers/json?size=1');
  await record('top', 'GET', `${at}/top`);
  await record('stats', 'GET', `${at}/stats?stream=0`);
  await record('changes', 'GET', `${at}/changes`);
  const exec = await record('exec', 'POST', `${at}/exec`, { Cmd: ['sleep', '1000'], User: 'root' });
  await ask('POST', `/exec/${exec.Id}/start`, { Detach: true });
  await record('exec inspect', 'GET', `/exec/${exec.Id}/json`);
  await record('update', 'POST', `${at}/update`, { Memory: 128 * 1024 * 1024, MemorySwap: -1 });
  await record('network create', 'POST', '/networks/create', {
    Name: 'shapes',
    CheckDuplicate: true,
    Labels: { a: 'b' },
    Options: { 'com.docker.network.driver.mtu': '1400' },
    IPAM: { Config: [{ Subnet: '10.211.0.0/24', IPRange: '10.211.0.128/25' }] },
  });
  await ask('POST', '/networks/shapes/connect', { Container: Id, EndpointConfig: { Aliases: ['alias'] } });
  await record('network inspect', 'GET', '/networks/shapes');
  await record('network list', 'GET', '/networks');
  await ask('POST', '/networks/shapes/disconnect', { Container: Id });
  await record('network prune', 'POST', '/networks/prune');
  await record('volume create', 'POST', '/volumes/create', { Name: 'shapes', Labels: { a: 'b' } });
  await record('volume inspect', 'GET', '/volumes/shapes');
  await record('volume list', 'GET', '/volumes');
  await record('volume prune', 'POST', '/volumes/prune');
  await ask('POST', `${at}/kill`);
  await record('wait', 'POST', `${at}/wait`);
  await record('image list', 'GET', '/images/json');
  await record('image inspect', 'GET', '/images/busybox/json');
  await record('image history', 'GET', '/images/busybox/history');
  await record('version', 'GET', '/version');
  await record('info', 'GET', '/info');
  await record('disk usage', 'GET', '/system/df');
  await record('prune', 'POST', '/containers/prune');
  const until = Math.floor(Date.now() / 1000) + 1;
  for (const line of (await ask('GET', `/events?since=${began}&until=${until}`)).trim().split('\n')) {
    const event = JSON.parse(line);
    if (event.Actor.ID === Id) addShape(shapes, 'event ', event);
  }
  return shapes;
}

function send(options: { socket: string; method: string; path: string; body: object | undefined }) {
  const { socket, method, path, body } = options;
  const headers = { 'Content-Type': 'application/json' };
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request({ socketPath: socket, method, path, headers, agent: false }, async reply => {
      let text = '';
      for await (const chunk of reply.setEncoding('utf8')) text += chunk;
      resolve({ status: reply.statusCode!, text });
    });
    asked.on('error', reject).end(body && JSON.stringify(body));
  });
}

if (import.meta.main) {
  process.stdout.write(`${[...(await collectShapes(process.argv[2]!))].sort().join('\n')}\n`);
}
