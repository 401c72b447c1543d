// A store for all hosts: keys, values, and leases. It understands four of etcd's requests.
// Run: node chapters/20-hosts/box.ts on two store   https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

interface Request {
  /** Keys and values are in base64, so that they can be any bytes. */
  key: string;
  range_end: string;
  value: string;
  lease: string;
  ID: string;
  /** Seconds. */
  TTL: number;
}

const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
const keys = new Map<string, { value: string; lease: string }>();
const leases = new Map<string, { seconds: number; ends: number }>();
let last = 0;

/** A key lives as long as its lease. Nobody has to notice that its owner has gone. */
function forgetEnded(): void {
  for (const [id, { ends }] of leases) if (Date.now() > ends) leases.delete(id);
  for (const [key, { lease }] of keys) if (!leases.has(lease)) keys.delete(key);
}

const requests: Record<string, (request: Request) => object | undefined> = {
  '/v3/lease/grant': ({ TTL }) => {
    const id = `${++last}`;
    leases.set(id, { seconds: TTL, ends: Date.now() + TTL * 1000 });
    return { ID: id, TTL: `${TTL}` };
  },
  '/v3/lease/keepalive': ({ ID }) => {
    const lease = leases.get(ID);
    if (lease !== undefined) lease.ends = Date.now() + lease.seconds * 1000;
    return { result: { ID } };
  },
  '/v3/kv/put': ({ key, value, lease }) => {
    if (!leases.has(lease)) return undefined;
    keys.set(text(key), { value, lease });
    return {};
  },
  '/v3/kv/range': ({ key, range_end }) => {
    const found = [...keys].filter(([each]) => each >= text(key) && each < text(range_end));
    return { kvs: found.map(([each, { value }]) => ({ key: Buffer.from(each).toString('base64'), value })) };
  },
};

export async function serveStore(address: string, port: number): Promise<void> {
  const server = createServer(async (request, response) => {
    forgetEnded();
    const answer = requests[request.url ?? '']?.((await json(request)) as Request);
    response
      .writeHead(answer === undefined ? 404 : 200)
      .end(JSON.stringify(answer ?? { error: 'not found' }));
  });
  await new Promise<void>(listening => server.listen(port, address, listening));
  console.log(`store at http://${address}:${port}`);
}
