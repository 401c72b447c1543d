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
  HostConfig?: {
    AutoRemove?: boolean;
    RestartPolicy?: Policy;
    Init?: boolean | null;
    Privileged?: boolean;
    CapAdd?: string[] | null;
    CapDrop?: string[] | null;
    NetworkMode?: string;
    Binds?: string[] | null;
    PortBindings?: Record<string, { HostPort: string }[]> | null;
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

/** What Docker's client can ask for, and this box cannot do. To ignore it would be a lie. */
const BEYOND = (
  'User WorkingDir Volumes Healthcheck StopSignal Devices DeviceRequests Mounts Tmpfs VolumesFrom Links Dns ' +
  'ExtraHosts GroupAdd SecurityOpt Sysctls Ulimits PidMode UTSMode UsernsMode ReadonlyRootfs PublishAllPorts CpusetCpus'
).split(' ');

/** Chapter 19: what else of a request can be said in words of `run`. */
export const addedWords: ((request: CreateRequest) => string[])[] = [];

/** Translates a request into the words of chapter 12's `run`. @throws Mistake */
export function specOf(name: string, { request, id }: Wanted): Spec {
  const host = request.HostConfig ?? {};
  const beyond = BEYOND.find(key => isSet({ ...request, ...host }[key as never]));
  if (beyond !== undefined) throw new Mistake(`this box cannot do ${beyond}: mini-docker can`);
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

function isSet(value: unknown): boolean {
  return Boolean(value) && (typeof value !== 'object' || Object.keys(value as object).length > 0);
}

function networkOf(mode = 'default'): string {
  return ['default', 'bridge', ''].includes(mode) ? 'box' : mode.replace(/^container:/, '');
}

/** 'busybox:latest' → 'busybox': our store keeps names, and no versions of them. */
export function imageName(reference: string): string {
  return reference.replace(/:latest$/, '');
}
