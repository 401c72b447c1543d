// POST /build, as the docker command sends it with DOCKER_BUILDKIT=0; /build/prune; and POST /commit.

import type { BuildMessage } from '../formats/engine-api/build.ts';
import { containerConfig, type HostConfig, ulimit } from '../formats/engine-api/containers.ts';
import { badParameter } from '../formats/errors.ts';
import { given } from '../formats/given.ts';
import { registryAuth } from '../formats/registry-auth.ts';
import { array, map, nullable, parse, type Schema, string } from '../formats/schema.ts';
import { errorAnswer, notSupported } from './errors.ts';
import { jsonBody } from './json-body.ts';
import { drained, jsonLine } from './pump.ts';
import { filters, flag, integer, jsonValue, reference, text } from './query.ts';
import { type Call, json, type Route, reads, route } from './router.ts';

export const buildRoutes: Route[] = [
  route('POST', '/build', build),
  reads('POST', '/build/prune', prune),
  route('POST', '/commit', commit),
];

/** The header with all secrets of a build, in base64; Node limits all headers together to 1 MiB. */
const SECRETS_HEADER = 'x-build-secrets';

async function build(call: Call) {
  const { engine, request, query } = call;
  refuseUnknown(query);
  const out: { stream?: ReturnType<Call['stream']> } = {};
  const send = (message: BuildMessage | object): Promise<void> => {
    out.stream ??= call.stream({ 'Content-Type': 'application/json' });
    if (!out.stream.destroyed) out.stream.write(jsonLine(message));
    return drained(out.stream);
  };
  try {
    await engine.builds.build({
      context: request.iterator({ destroyOnReturn: false }),
      dockerfile: text(query, 'dockerfile') ?? 'Dockerfile',
      tags: query.getAll('t').filter(each => each !== ''),
      buildArgs: jsonValue(query, 'buildargs', map(nullable(string))) ?? {},
      labels: jsonValue(query, 'labels', map(string)) ?? {},
      contexts: jsonValue(query, 'contexts', map(string)) ?? {},
      ...given({ target: text(query, 'target'), platform: text(query, 'platform') }),
      noCache: flag(query, 'nocache'),
      pull: flag(query, 'pull'),
      quiet: flag(query, 'q'),
      cacheFrom: jsonValue(query, 'cachefrom', nullable(array(string))) ?? [],
      keepContainers: !flag(query, 'rm', true) && !flag(query, 'forcerm'),
      live: flag(query, 'live'),
      host: hostConfig(query),
      secrets: secrets(request.headers[SECRETS_HEADER]),
      auths: headerMap(request.headers['x-registry-config'], 'X-Registry-Config', registryAuth),
      signal: call.whenGone(),
      send,
    });
  } catch (error) {
    // The error can still be reported by a status.
    if (out.stream === undefined) throw error;
    const { message, exitCode: code } = errorAnswer(error);
    await send({ errorDetail: { code, message }, error: message });
  }
  out.stream?.end();
  return undefined;
}

function refuseUnknown(query: URLSearchParams): void {
  const remote = text(query, 'remote');
  if (remote === 'client-session' || text(query, 'version') === '2') {
    throw notSupported('BuildKit is not supported: set DOCKER_BUILDKIT=0');
  }
  if (remote !== undefined) {
    throw notSupported(`cannot build from ${remote}: fetch it first, and send it as the context`);
  }
  const isolation = text(query, 'isolation');
  if (isolation !== undefined && isolation !== 'default') {
    throw badParameter(`invalid isolation: ${isolation} (on Linux it is default)`);
  }
  if (flag(query, 'squash')) throw notSupported('squashing layers is not supported: use several stages');
  if (text(query, 'outputs') !== undefined) throw notSupported('build outputs are not supported');
}

/** Limits, network and hosts of RUN's containers. */
function hostConfig(query: URLSearchParams): HostConfig {
  // Clients send 0 for no limit.
  const number = (name: string) => integer(query, name) || undefined;
  const word = (name: string) => text(query, name);
  const words = (name: string) => {
    const values = query.getAll(name).filter(each => each !== '');
    return values.length === 0 ? undefined : values;
  };
  return {
    ...given({
      Memory: number('memory'),
      MemorySwap: number('memswap'),
      CpuShares: number('cpushares'),
      CpuPeriod: number('cpuperiod'),
      CpuQuota: number('cpuquota'),
      ShmSize: number('shmsize'),
      CpusetCpus: word('cpusetcpus'),
      CpusetMems: word('cpusetmems'),
      CgroupParent: word('cgroupparent'),
      NetworkMode: word('networkmode'),
      ExtraHosts: words('extrahosts'),
      SecurityOpt: words('securityopt'),
    }),
    Ulimits: jsonValue(query, 'ulimits', nullable(array(ulimit))) ?? null,
  };
}

/**
 * Base64 of {"id": base64 of the content}, sent only by mini-docker's command: Docker's client has secrets
 * only with BuildKit.
 */
const secrets = (header: string | string[] | undefined): Record<string, Buffer> =>
  Object.fromEntries(
    Object.entries(headerMap(header, 'X-Build-Secrets', string)).map(([id, value]) => [
      id,
      Buffer.from(value, 'base64'),
    ]),
  );

/** Base64 of a JSON object. Docker's client sends 'null' when it has none. */
function headerMap<T>(
  header: string | string[] | undefined,
  name: string,
  value: Schema<T>,
): Record<string, T> {
  const text = Buffer.from(String(header ?? ''), 'base64').toString();
  return text.trim() === '' ? {} : parse(text, name, map(value));
}

async function prune({ engine, query }: Call) {
  const keep = integer(query, 'keep-storage') ?? integer(query, 'reserved-space');
  return engine.builds.prune({ ...given({ keep }), filters: filters(query) });
}

async function commit(call: Call) {
  const { engine, query, version } = call;
  const config = await jsonBody(call, nullable(containerConfig));
  const container = text(query, 'container');
  if (container === undefined) throw badParameter('the container is missing');
  const id = await engine.containers.commit(container, {
    ...given({
      reference: reference(query),
      author: text(query, 'author'),
      comment: text(query, 'comment'),
      config: config ?? undefined,
    }),
    changes: query.getAll('changes').filter(each => each !== ''),
    // Before 1.13 clients had to ask for a pause.
    pause: flag(query, 'pause', version >= 13),
  });
  return json({ Id: id }, 201);
}
