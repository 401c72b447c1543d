// What a client wants of a box, kept beside its state. state.json says what is; wanted.json says what ought to be.
// The engine: mini-docker/engine/spec/ and mini-docker/engine/life/create.ts
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Mistake } from '../04-mounts/mistake.ts';
import { parseSpec, type Spec } from '../12-stay/spec.ts';
import type { Policy } from './restart.ts';

/** The body of POST /containers/create, as far as this chapter reads it. Names as in Docker's documentation. */
export interface CreateRequest {
  Image: string;
  Hostname?: string;
  Cmd?: string[] | null;
  Entrypoint?: string[] | null;
  Env?: string[] | null;
  Labels?: Record<string, string> | null;
  Tty?: boolean;
  OpenStdin?: boolean;
  /** The input ends when the first client with input has gone. */
  StdinOnce?: boolean;
  /** Chapter 19. Times are in nanoseconds. */
  Healthcheck?: {
    /** ['NONE'], ['CMD', word…] or ['CMD-SHELL', text] */
    Test?: string[] | null;
    Interval?: number;
    Timeout?: number;
    StartPeriod?: number;
    Retries?: number;
  } | null;
  HostConfig?: {
    AutoRemove?: boolean;
    RestartPolicy?: Policy;
    Init?: boolean | null;
    Privileged?: boolean;
    CapAdd?: string[] | null;
    CapDrop?: string[] | null;
    NetworkMode?: string;
    Binds?: string[] | null;
    PortBindings?: Record<string, { HostIp?: string; HostPort: string }[]> | null;
    Memory?: number;
    NanoCpus?: number;
    PidsLimit?: number | null;
  };
  NetworkingConfig?: { EndpointsConfig?: Record<string, { Aliases?: string[] | null } | null> | null };
}

export interface Wanted {
  /** 64 hexadecimal digits. */
  id: string;
  /** ISO 8601. */
  created: string;
  request: CreateRequest;
  /** The user has stopped it: it is to stay down. */
  stopped: boolean;
  /** How often it has been restarted since the user started it. */
  restarts: number;
}

const fileOf = (name: string): string => `/tmp/box/containers/${name}/wanted.json`;

export function writeWanted(name: string, wanted: Wanted): void {
  writeFileSync(`${fileOf(name)}.new`, JSON.stringify(wanted, null, 2));
  renameSync(`${fileOf(name)}.new`, fileOf(name));
}

/** A box that the command `box run` has made has no such file: of that, nothing special is wanted. */
export function readWanted(name: string): Wanted {
  if (existsSync(fileOf(name))) return JSON.parse(readFileSync(fileOf(name), 'utf8')) as Wanted;
  const id = createHash('sha256').update(name).digest('hex');
  return { id, created: new Date(0).toISOString(), request: { Image: '' }, stopped: false, restarts: 0 };
}

export function newWanted(request: CreateRequest): Wanted {
  const id = randomBytes(32).toString('hex');
  return { id, created: new Date().toISOString(), request, stopped: false, restarts: 0 };
}

/**
 * What this box understands of a request. The second line is what asks nothing of it: the streams and the size of the
 * client's terminal, and what an image says to those who build on it.
 */
export const understood = new Set(
  (
    'Image Hostname Cmd Entrypoint Env Labels Tty OpenStdin StdinOnce HostConfig NetworkingConfig ' +
    'AttachStdin AttachStdout AttachStderr ConsoleSize ExposedPorts OnBuild ' +
    'AutoRemove RestartPolicy Init Privileged CapAdd CapDrop NetworkMode Binds PortBindings Memory NanoCpus PidsLimit'
  ).split(' '),
);

/** Refuses whatever else Docker's client can ask for: to ignore it would be a lie. @throws Mistake */
function refuseBeyond({ HostConfig = {}, NetworkingConfig, ...config }: CreateRequest): void {
  const beyond = (what: string): never => {
    throw new Mistake(`this box cannot do ${what}: mini-docker can`);
  };
  for (const [key, value] of Object.entries({ ...config, ...HostConfig }))
    if (isSet(value) && !understood.has(key)) beyond(key);
  for (const endpoint of Object.values(NetworkingConfig?.EndpointsConfig ?? {}))
    for (const [key, value] of Object.entries(endpoint ?? {}))
      if (isSet(value) && key !== 'Aliases') beyond(`${key} of a network`);
  for (const [port, bindings] of Object.entries(HostConfig.PortBindings ?? {})) {
    if (port.endsWith('udp') || port.endsWith('sctp')) beyond(`port ${port}`);
    for (const { HostIp, HostPort } of bindings) {
      if (!['', '0.0.0.0', '::', undefined].includes(HostIp)) beyond(`a port at ${HostIp} only`);
      if (!(Number(HostPort) > 0)) beyond(`a port of its own choice for ${port}`);
    }
  }
}

/** Chapter 19: what else of a request can be said in words of `run`. */
export const addedWords: ((request: CreateRequest) => string[])[] = [];

/** Translates a request into the words of chapter 12's `run`. @throws Mistake */
export function specOf(name: string, { request, id }: Wanted): Spec {
  const host = request.HostConfig ?? {};
  refuseBeyond(request);
  const option = (word: string, value: unknown): string[] => (value ? [`--${word}`, `${value}`] : []);
  const ports = Object.entries(host.PortBindings ?? {}).flatMap(([port, bindings]) =>
    bindings.map(({ HostPort }) => `${HostPort}:${Number.parseInt(port, 10)}`),
  );
  const { spec } = parseSpec([
    ...option('name', name),
    ...option('hostname', request.Hostname || id.slice(0, 12)),
    ...(host.Init ? ['--init'] : []),
    ...(host.Privileged ? ['--privileged'] : []),
    ...(host.CapAdd ?? []).flatMap(each => option('cap-add', each)),
    ...(host.CapDrop ?? []).flatMap(each => option('cap-drop', each)),
    ...option('net', networkOf(host.NetworkMode)),
    ...ports.flatMap(each => option('publish', each)),
    ...(host.Binds ?? []).flatMap(each => option('volume', each)),
    ...addedWords.flatMap(words => words(request)),
    ...option('memory', host.Memory),
    ...option('cpus', (host.NanoCpus ?? 0) / 1e9),
    ...option('pids', Math.max(0, host.PidsLimit ?? 0)),
    imageName(request.Image),
    ...(request.Entrypoint ?? []),
    ...(request.Cmd ?? []),
  ]);
  return { ...spec, environment: [...(request.Tty ? ['TERM=xterm'] : []), ...(request.Env ?? [])] };
}

/** 0, '', false, -1 and empty lists are what clients send for what was not asked. */
function isSet(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(isSet);
  return Boolean(value) && value !== -1;
}

function networkOf(mode = 'default'): string {
  return ['default', 'bridge', ''].includes(mode) ? 'box' : mode.replace(/^container:/, '');
}

/** 'busybox:latest' → 'busybox': our store keeps names, and no versions of them. */
export function imageName(reference: string): string {
  return reference.replace(/:latest$/, '');
}
