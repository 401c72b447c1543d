// The address that serves GET /metrics and nothing else (metrics-addr).
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Engine } from '../engine/core/engine.ts';
import { type Listening, placeOf, type Rootless } from './listen.ts';
import { metricsAnswer } from './metrics.ts';

/** @param address 'HOST:PORT'. @throws Error when it cannot be used; its message is one line */
export async function listenForMetrics(
  engine: Engine,
  address: string,
  rootless: Rootless | undefined,
): Promise<Listening> {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end('404 page not found\n');
      return;
    }
    metricsAnswer(engine).then(
      ({ body, headers }) => response.writeHead(200, headers).end(body),
      () => response.writeHead(500).end(),
    );
  });
  const { hostname, port } = new URL(`http://${address}`);
  try {
    server.listen(await placeOf({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }, rootless));
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(`cannot serve metrics on ${address}: ${(cause as Error).message}`, { cause });
  }
  const { port: chosen } = server.address() as AddressInfo;
  return {
    host: `http://${hostname}:${chosen}/metrics`,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
