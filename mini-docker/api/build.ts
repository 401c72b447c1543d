// POST /build, as the docker command sends it with DOCKER_BUILDKIT=0, /build/prune, and POST /commit.

import { badParameter } from '../engine/core/errors.ts';
import type { BuildMessage } from '../formats/engine-api/build.ts';
import type { HostConfig } from '../formats/engine-api/containers.ts';
import { FormatError } from '../formats/errors.ts';
import { parseObject } from '../formats/json-fields.ts';
import { decodeAuthBody, type RegistryAuth } from '../formats/registry-auth.ts';
import { commitBody } from './container-body.ts';
import { errorAnswer, notSupported } from './errors.ts';
import { jsonBody } from './json-body.ts';
import { drained, jsonLine } from './pump.ts';
import { filters, flag, integer, text } from './query.ts';
import { type Call, json, type Route } from './router.ts';

export const buildRoutes: Route[] = [
  { method: 'POST', pattern: '/build', handle: build },
  { method: 'POST', pattern: '/build/prune', handle: prune },
  { method: 'POST', pattern: '/commit', handle: commit },
];

/** Bytes of one header with all secrets of a build, in base64: node's limit for all headers is 1 MiB. */
const SECRETS_HEADER = 'x-build-secrets';

async function build(call: Call) {
  const { engine, request, query } = call;
  refuseUnknown(query);
  const target = text(query, 'target');
  const platform = text(query, 'platform');
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
      buildArgs: jsonMap(query, 'buildargs', stringOrNull),
      labels: jsonMap(query, 'labels', onlyString),
      ...(target === undefined ? {} : { target }),
      ...(platform === undefined ? {} : { platform }),
      noCache: flag(query, 'nocache'),
      pull: flag(query, 'pull'),
      quiet: flag(query, 'q'),
      live: flag(query, 'live'),
      host: hostConfig(query),
      secrets: secrets(request.headers[SECRETS_HEADER]),
      auths: auths(request.headers['x-registry-config']),
      signal: call.whenGone(),
      send,
    });
  } catch (error) {
    // A status can still say it.
    if (out.stream === undefined) throw error;
    const { message, exitCode: code } = errorAnswer(error);
    await send({ errorDetail: { ...(code === undefined ? {} : { code }), message }, error: message });
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
  if (flag(query, 'squash')) throw notSupported('squashing layers is not supported: use several stages');
  if (text(query, 'outputs') !== undefined) throw notSupported('build outputs are not supported');
}

/** Limits, network and hosts of the containers of RUN. */
function hostConfig(query: URLSearchParams): HostConfig {
  const number = (name: string, field: keyof HostConfig) => {
    const value = integer(query, name);
    return value === undefined || value === 0 ? {} : { [field]: value };
  };
  const word = (name: string, field: keyof HostConfig) => {
    const value = text(query, name);
    return value === undefined ? {} : { [field]: value };
  };
  const words = (name: string, field: keyof HostConfig) => {
    const values = query.getAll(name).filter(each => each !== '');
    return values.length === 0 ? {} : { [field]: values };
  };
  const host: HostConfig = {
    ...number('memory', 'Memory'),
    ...number('memswap', 'MemorySwap'),
    ...number('cpushares', 'CpuShares'),
    ...number('cpuperiod', 'CpuPeriod'),
    ...number('cpuquota', 'CpuQuota'),
    ...number('shmsize', 'ShmSize'),
    ...word('cpusetcpus', 'CpusetCpus'),
    ...word('cpusetmems', 'CpusetMems'),
    ...word('cgroupparent', 'CgroupParent'),
    ...word('networkmode', 'NetworkMode'),
    ...words('extrahosts', 'ExtraHosts'),
    ...words('securityopt', 'SecurityOpt'),
  };
  const ulimits = parsed(query, 'ulimits');
  if (ulimits === undefined || ulimits === null) return host;
  if (!Array.isArray(ulimits)) throw badParameter('ulimits must be a list');
  host.Ulimits = ulimits.map(each => {
    const { Name, Soft, Hard } = (each ?? {}) as Record<string, unknown>;
    if (typeof Name !== 'string' || !Number.isInteger(Soft) || !Number.isInteger(Hard)) {
      throw badParameter('ulimits: each has a Name, a Soft and a Hard limit');
    }
    return { Name, Soft: Soft as number, Hard: Hard as number };
  });
  return host;
}

function parsed(query: URLSearchParams, name: string): unknown {
  const value = text(query, name);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value);
  } catch (error) {
    throw badParameter(`${name} is not JSON: ${(error as Error).message}`);
  }
}

function jsonMap<T>(
  query: URLSearchParams,
  name: string,
  read: (value: unknown, where: string) => T,
): Record<string, T> {
  const value = parsed(query, name);
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw badParameter(`${name} must be an object`);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [noNul(key, name), read(each, `${name}.${key}`)]),
  );
}

const stringOrNull = (value: unknown, where: string): string | null =>
  value === null ? null : onlyString(value, where);

function onlyString(value: unknown, where: string): string {
  if (typeof value !== 'string') throw badParameter(`${where} must be a string`);
  return noNul(value, where);
}

function noNul(value: string, where: string): string {
  if (value.includes('\0')) throw badParameter(`${where} cannot have a NUL in it`);
  return value;
}

/** Base64 of {"id": base64 of the content}: our own command's. Docker's client has secrets only with BuildKit. */
function secrets(header: string | string[] | undefined): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(headerObject(header, 'X-Build-Secrets')).map(([id, value]) => {
      if (typeof value !== 'string') throw badParameter('X-Build-Secrets: a secret must be base64');
      return [id, Buffer.from(value, 'base64')];
    }),
  );
}

function auths(header: string | string[] | undefined): Record<string, RegistryAuth> {
  try {
    const entries = Object.entries(headerObject(header, 'X-Registry-Config'));
    return Object.fromEntries(entries.map(([registry, auth]) => [registry, decodeAuthBody(auth)]));
  } catch (cause) {
    if (cause instanceof FormatError) throw badParameter(`X-Registry-Config: ${cause.message}`);
    throw cause;
  }
}

function headerObject(header: string | string[] | undefined, name: string): Record<string, unknown> {
  if (typeof header !== 'string' || header === '') return {};
  const decoded = Buffer.from(header, 'base64').toString();
  // Docker's client has nothing to say, and says so: 'null'.
  if (/^(?:null)?\s*$/.test(decoded)) return {};
  try {
    return parseObject(decoded, name);
  } catch (cause) {
    throw badParameter((cause as Error).message);
  }
}

async function prune({ engine, query }: Call) {
  const keep = integer(query, 'keep-storage') ?? integer(query, 'reserved-space');
  const options = { ...(keep === undefined ? {} : { keep }), filters: filters(query) };
  return json(await engine.builds.prune(options));
}

async function commit(call: Call) {
  const { engine, query, version } = call;
  const container = text(query, 'container');
  if (container === undefined) throw badParameter('the container is missing');
  const repository = text(query, 'repo');
  const tag = text(query, 'tag');
  const author = text(query, 'author');
  const comment = text(query, 'comment');
  const config = await jsonBody(call, commitBody);
  const changes = query.getAll('changes').filter(each => each !== '');
  const id = await engine.containers.commit(container, {
    ...(repository === undefined
      ? {}
      : { reference: tag === undefined ? repository : `${repository}:${tag}` }),
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    ...(config === undefined || config === null ? {} : { config }),
    changes,
    // Before 1.13 clients had to ask for it.
    pause: flag(query, 'pause', version >= 13),
  });
  return json({ Id: id }, 201);
}
