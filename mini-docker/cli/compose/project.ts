// A project that is ready to be brought up: a model whose defaults and references are resolved.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { meant } from '../../formats/typo.ts';
import { CommandError } from '../errors.ts';
import { decodeEnvFile } from '../flags/env-file.ts';
import { contentOf, filesOf } from './file-contents.ts';
import type { Lookup } from './interpolate.ts';
import { type Loaded, readDotenv, readText, shownPath } from './load.ts';
import type { Model, Network, Volume } from './model.ts';
import type { Endpoint, Service } from './service.ts';
import { started } from './service.ts';
import { wrongAt } from './source.ts';

export interface Project {
  name: string;
  directory: string;
  files: readonly string[];
  /** The services to run; the others have a profile that is not active. */
  services: Record<string, Service>;
  disabled: Record<string, Service>;
  networks: Record<string, Network & { name: string }>;
  volumes: Record<string, Volume & { name: string }>;
  secrets: NonNullable<Model['secrets']>;
  configs: NonNullable<Model['configs']>;
  lookup: Lookup;
  /** Whether networks and volumes that no service uses are made too. */
  allResources: boolean;
}

export interface Resolving extends Loaded {
  name: string;
  directory: string;
  files: readonly string[];
  profiles: readonly string[];
  /** Services that the user named, which run whatever their profiles. */
  asked: readonly string[];
  lookup: Lookup;
  allResources: boolean;
  raw: boolean;
}

type Wrong = (path: string, what: string) => CommandError;

/** @throws CommandError when a reference names something undefined */
export function resolveProject(resolving: Resolving): Project {
  const { model, places, name, directory, files } = resolving;
  const wrong: Wrong = (path, what) =>
    wrongAt(
      {
        path,
        place: places.get(path) ?? places.get(path.replace(/\.[^.]+$/, '')) ?? shownPath(files[0] ?? ''),
      },
      what,
    );
  const all: Record<string, Service> = {};
  for (const [each, service] of Object.entries(model.services ?? {})) {
    if (!/^[A-Za-z0-9._-]+$/.test(each))
      throw wrong(`services.${each}`, 'has a name with other characters than a-z, A-Z, 0-9, ., _ and -');
    all[each] = resolveService(each, service ?? {}, resolving, wrong);
  }
  if (Object.keys(all).length === 0)
    throw new CommandError(`no service in ${files.map(shownPath).join(', ')}`);
  const networks = namedThings<Network>(model.networks ?? {}, name);
  const volumes = namedThings<Volume>(model.volumes ?? {}, name);
  const [secrets, configs] = [model.secrets ?? {}, model.configs ?? {}];
  const isActive = profileFilter(resolving, all);
  const pick = (active: boolean) =>
    Object.fromEntries(Object.entries(all).filter(([each]) => isActive(each) === active));
  if (Object.values(all).some(({ networks }) => networks && Object.hasOwn(networks, 'default')))
    networks.default ??= { name: `${name}_default` };
  const project = {
    name,
    directory,
    files,
    services: pick(true),
    disabled: pick(false),
    networks,
    volumes,
    secrets,
    configs,
    lookup: resolving.lookup,
    allResources: resolving.allResources,
  };
  for (const [each, service] of Object.entries(project.services))
    checkReferences({ name: each, service, project, wrong });
  dependencyOrder(project.services);
  return project;
}

/** An `external` object keeps its name; other names get the project's name as a prefix. */
function namedThings<T extends Network | Volume>(things: Record<string, T | null>, project: string) {
  return Object.fromEntries(
    Object.entries(things).map(([key, thing]) => {
      const outside = thing?.external;
      const name =
        (typeof outside === 'object' ? outside.name : undefined) ??
        thing?.name ??
        (outside ? key : `${project}_${key}`);
      return [key, { ...(thing as T), name }];
    }),
  ) as Record<string, T & { name: string }>;
}

function resolveService(name: string, given: Service, { lookup, raw }: Resolving, wrong: Wrong): Service {
  const { env_file, label_file, ...service } = given;
  const at = `services.${name}`;
  if (service.image === undefined && service.build === undefined)
    throw wrong(at, 'has neither an image nor a build context');
  const environment: Record<string, string | null> = {};
  const ours = (variable: string) => lookup(variable) ?? environment[variable] ?? undefined;
  for (const { path = '', required = true, format } of raw ? [] : (env_file ?? [])) {
    if (!existsSync(path)) {
      if (!required) continue;
      throw wrong(`${at}.env_file`, `names ${shownPath(path)}, which is not there`);
    }
    const variables =
      format === 'raw'
        ? decodeEnvFile(readText(path), lookup).map(line => line.split(/=(.*)/s, 2) as [string, string])
        : readDotenv(path, ours);
    for (const [key, value] of variables) if (value !== undefined) environment[key] = value;
  }
  for (const [key, value] of Object.entries(service.environment ?? {}))
    environment[key] = value ?? (raw ? null : (lookup(key) ?? null));
  const labels = Object.fromEntries(
    (label_file ?? []).flatMap(file =>
      [...readDotenv(file, lookup)].map(([key, value]) => [key, value ?? '']),
    ),
  );
  const depends_on = { ...impliedDependencies(service), ...service.depends_on };
  if (service.network_mode !== undefined && service.networks !== undefined)
    throw wrong(at, 'has both network_mode and networks, of which one must go');
  const networks: Record<string, Endpoint | null> | undefined =
    service.network_mode === undefined ? (service.networks ?? { default: null }) : undefined;
  return {
    ...service,
    ...(Object.keys(environment).length > 0 ? { environment } : {}),
    ...(raw && env_file ? { env_file } : {}),
    ...(Object.keys(labels).length > 0 || service.labels ? { labels: { ...labels, ...service.labels } } : {}),
    ...(Object.keys(depends_on).length > 0 ? { depends_on } : {}),
    ...(networks === undefined
      ? {}
      : { networks: Object.keys(networks).length === 0 ? { default: null } : networks }),
  };
}

/** A service that shares something with another service starts after it. */
function impliedDependencies({ links = [], volumes_from = [], network_mode, ipc, pid }: Service) {
  const shared = [network_mode, ipc, pid].flatMap(mode => /^service:(.+)$/.exec(mode ?? '')?.[1] ?? []);
  const others = [
    ...links.map(link => link.split(':')[0]!),
    ...volumes_from.filter(each => !each.startsWith('container:')).map(each => each.split(':')[0]!),
  ];
  return Object.fromEntries([
    ...others.map(name => [name, started] as const),
    ...shared.map(name => [name, { ...started, restart: true }] as const),
  ]);
}

function profileFilter({ profiles, asked }: Resolving, all: Record<string, Service>) {
  const wanted = new Set(asked);
  const visit = (name: string) => {
    for (const other of Object.keys(all[name]?.depends_on ?? {})) {
      if (wanted.has(other)) continue;
      wanted.add(other);
      visit(other);
    }
  };
  for (const name of asked) visit(name);
  return (name: string): boolean => {
    const own = all[name]?.profiles ?? [];
    return (
      own.length === 0 ||
      wanted.has(name) ||
      own.some(each => profiles.includes(each)) ||
      profiles.includes('*')
    );
  };
}

interface Checked {
  name: string;
  service: Service;
  project: Project;
  wrong: Wrong;
}

function checkReferences({ name, service, project, wrong }: Checked): void {
  const check = (key: string, kind: string, used: readonly string[], there: object) => {
    for (const each of used) {
      if (Object.hasOwn(there, each)) continue;
      const guess = meant(each, Object.keys(there));
      throw wrong(
        `services.${name}.${key}`,
        `names the undefined ${kind} ${JSON.stringify(each)}${guess === undefined ? '' : `; did you mean ${JSON.stringify(guess)}?`}`,
      );
    }
  };
  for (const [other, { required }] of Object.entries(service.depends_on ?? {})) {
    if (Object.hasOwn(project.services, other)) continue;
    if (Object.hasOwn(project.disabled, other)) {
      if (required)
        throw wrong(
          `services.${name}.depends_on`,
          `needs the service ${JSON.stringify(other)}, which is in a profile that is not active`,
        );
    } else if (required)
      check('depends_on', 'service', [other], { ...project.services, ...project.disabled });
  }
  check('networks', 'network', Object.keys(service.networks ?? {}), project.networks);
  const volumes = (service.volumes ?? []).filter(
    ({ type, source }) => type === 'volume' && source !== undefined,
  );
  check(
    'volumes',
    'volume',
    volumes.map(({ source }) => source!),
    project.volumes,
  );
  check(
    'secrets',
    'secret',
    (service.secrets ?? []).map(({ source }) => source ?? ''),
    project.secrets,
  );
  check(
    'configs',
    'config',
    (service.configs ?? []).map(({ source }) => source ?? ''),
    project.configs,
  );
  const replicas = replicasOf(service);
  if (replicas < 0 || replicas > MOST_REPLICAS)
    throw wrong(`services.${name}`, `asks for ${replicas} containers, and may have 0 to ${MOST_REPLICAS}`);
  if (service.container_name !== undefined && replicas > 1)
    throw wrong(
      `services.${name}.container_name`,
      'allows one container only: two cannot have the same name',
    );
}

/** More would only be a mistake: a network has 65,533 addresses, and this machine less memory. */
export const MOST_REPLICAS = 10_000;

export const replicasOf = ({ scale, deploy }: Service): number => scale ?? deploy?.replicas ?? 1;

/** Names of services, each after its dependencies. @throws CommandError when these form a circle */
export function dependencyOrder(services: Record<string, Service>): string[] {
  const order = new Set<string>();
  const visit = (name: string, path: readonly string[]) => {
    if (order.has(name)) return;
    if (path.includes(name))
      throw new CommandError(
        `dependency cycle detected: ${[...path.slice(path.indexOf(name)), name].join(' -> ')}`,
      );
    for (const other of dependenciesOf(services, name)) visit(other, [...path, name]);
    order.add(name);
  };
  for (const name of Object.keys(services)) visit(name, []);
  return [...order];
}

export const dependenciesOf = (services: Record<string, Service>, name: string): string[] =>
  Object.keys(services[name]?.depends_on ?? {}).filter(other => Object.hasOwn(services, other));

/** Sorts keys at every depth, so that equal values give equal text. */
export const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
};

const digest = (value: unknown) =>
  createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex');

/** Hash of what requires a new container: replicas, build, depends_on, profiles and hooks do not. */
export function serviceHash(project: Project, service: Service): string {
  const {
    build: _,
    pull_policy: __,
    scale: ___,
    depends_on: ____,
    profiles: _____,
    post_start: ______,
    pre_stop: _______,
    deploy,
    ...rest
  } = service;
  const { replicas: ________, ...own } = deploy ?? {};
  const contents = filesOf(project, service).flatMap(used => contentOf(used, project) ?? []);
  return digest({
    ...rest,
    ...(deploy === undefined ? {} : { deploy: own }),
    ...(contents.length === 0 ? {} : { contents }),
  });
}

export const thingHash = (thing: Network | Volume): string => digest(thing);
