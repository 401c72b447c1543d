// A service of a compose file: all its keys, in their short and long forms
// (https://github.com/compose-spec/compose-spec/blob/main/05-services.md).

import { decodeDuration } from '../../formats/durations.ts';
import { readDevice, readExtraHost, readUlimit } from '../flags/values.ts';
import { decodeExpose } from '../run/ports.ts';
import { develop } from './develop.ts';
import { hooks, words } from './hook-shapes.ts';
import { mounts, ports } from './ports-and-mounts.ts';
import { pullPolicy } from './pull-policy.ts';
import {
  absolute,
  boolean,
  byKind,
  duration,
  entries,
  fileMode,
  type Infer,
  integer,
  labels,
  list,
  map,
  number,
  object,
  oneOf,
  oneOrMore,
  orNothing,
  pairs,
  path,
  reading,
  type Shape,
  size,
  text,
  unlessFalse,
  unsupported,
} from './shapes.ts';
import { wrongAt } from './source.ts';

const texts = list(text);
const oneOrMoreTexts = oneOrMore(text);
/** Shape of `cpus: 0.5`, which may be quoted. */
const decimal = number;

const pathOrUrl = reading('a path or an address', (each, context) =>
  /^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(each) ? each : absolute(each, context),
);

const fileReference = object({ source: text, target: text, uid: text, gid: text, mode: fileMode });
export type FileReference = Infer<typeof fileReference>;
const fileReferences = list(
  byKind<FileReference>({
    scalar: (source, context) => ({ source: text(source, context) }),
    map: fileReference,
  }),
);

const ulimits = map(
  byKind<{ soft: number; hard: number }>({
    scalar: (source, context) => {
      const limit = integer(source, context);
      return { soft: limit, hard: limit };
    },
    map: (source, context) => {
      const { soft, hard } = object({ soft: integer, hard: integer })(source, context);
      if (soft === undefined || hard === undefined) throw wrongAt(source, 'needs soft and hard');
      return { soft, hard };
    },
  }),
);
const checkedUlimits: Shape<Infer<typeof ulimits>> = (source, context) => {
  const found = ulimits(source, context);
  for (const [name, each] of entries(source)) {
    const { soft, hard } = found[name]!;
    reading('a limit', () => readUlimit(`${name}=${soft}:${hard}`))({ ...each, value: '' }, context);
  }
  return found;
};

/** Where an additional context is, by its name in the Dockerfile. */
const additionalContexts: Shape<Record<string, string>> = (source, context) =>
  Object.fromEntries(
    Object.entries(labels(source, context)).map(([name, where]) => [
      name,
      /^(service:|[\w-]+:\/\/)|^git@/.test(where) ? where : absolute(where, context),
    ]),
  );

const buildObject = object({
  context: pathOrUrl,
  dockerfile: text,
  dockerfile_inline: text,
  args: pairs,
  labels,
  target: text,
  network: text,
  shm_size: size,
  extra_hosts: byKind<string[]>({
    list: list(reading('NAME=ADDRESS', readExtraHost)),
    map: (source, context) => Object.entries(map(text)(source, context)).map(([host, ip]) => `${host}:${ip}`),
  }),
  no_cache: boolean,
  pull: boolean,
  platforms: texts,
  tags: texts,
  ulimits: checkedUlimits,
  isolation: text,
  privileged: unlessFalse('a build has no rights beyond those of a container'),
  provenance: unlessFalse('the builder writes no attestations'),
  sbom: unlessFalse('the builder writes no attestations'),
  ssh: unsupported('the builder passes no SSH agent on'),
  cache_from: texts,
  cache_to: texts,
  additional_contexts: additionalContexts,
  entitlements: unsupported('a build has no rights beyond those of a container'),
  secrets: fileReferences,
});
export type Build = Infer<typeof buildObject>;
const build = byKind<Build>({
  scalar: (source, context) => ({ context: pathOrUrl(source, context) }),
  map: (source, context) => ({ context: context.directory, ...buildObject(source, context) }),
});

const endpoint = object({
  aliases: texts,
  ipv4_address: text,
  ipv6_address: text,
  link_local_ips: texts,
  mac_address: text,
  priority: integer,
  gw_priority: integer,
  interface_name: text,
  driver_opts: map(text),
});
export type Endpoint = Infer<typeof endpoint>;

const named =
  <T>(value: T) =>
  (source: Parameters<typeof text>[0], context: Parameters<typeof text>[1]): Record<string, T> =>
    Object.fromEntries(texts(source, context).map(name => [name, value]));

const dependency = object({
  condition: oneOf('service_started', 'service_healthy', 'service_completed_successfully'),
  restart: boolean,
  required: boolean,
});
export interface Dependency {
  condition: NonNullable<Infer<typeof dependency>['condition']>;
  required: boolean;
  restart?: boolean;
}
export const started: Dependency = { condition: 'service_started', required: true };

const healthcheck = object({
  test: byKind<string[]>({
    scalar: (source, context) => ['CMD-SHELL', text(source, context)],
    list: (source, context) => {
      const test = texts(source, context);
      if (!/^(NONE|CMD|CMD-SHELL)$/.test(test[0] ?? ''))
        throw wrongAt(source, 'must start with NONE, CMD or CMD-SHELL');
      return test;
    },
  }),
  interval: duration,
  timeout: duration,
  retries: integer,
  start_period: duration,
  start_interval: duration,
  disable: boolean,
});

const deviceRequest = object({
  capabilities: texts,
  driver: text,
  count: (source, context) => (source.value === 'all' ? -1 : integer(source, context)),
  device_ids: texts,
  options: labels,
});
const resource = object({
  cpus: decimal,
  memory: size,
  pids: integer,
  devices: list(deviceRequest),
  generic_resources: list(object({ discrete_resource_spec: object({ kind: text, value: number }) })),
});
const rollout = object({
  parallelism: integer,
  delay: duration,
  failure_action: text,
  monitor: duration,
  max_failure_ratio: number,
  order: oneOf('start-first', 'stop-first'),
});
const deploy = object({
  mode: oneOf('replicated', 'global', 'replicated-job', 'global-job'),
  replicas: integer,
  labels,
  resources: object({ limits: resource, reservations: resource }),
  restart_policy: object({
    condition: oneOf('none', 'on-failure', 'any'),
    delay: duration,
    max_attempts: integer,
    window: duration,
  }),
  update_config: rollout,
  rollback_config: rollout,
  placement: object({
    constraints: texts,
    preferences: list(object({ spread: text })),
    max_replicas_per_node: integer,
  }),
  endpoint_mode: text,
});

const device = reading('DEVICE[:TARGET[:rwm]]', each => {
  readDevice(each);
  return each;
});
const deviceObject: Shape<string> = (source, context) => {
  const keys = object({
    source: text,
    target: text,
    permissions: oneOf('r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'),
  });
  const { source: from, target = from, permissions = 'rwm' } = keys(source, context);
  if (from === undefined) throw wrongAt(source, 'has no source');
  return device({ ...source, value: `${from}:${target}:${permissions}` }, context);
};

const microseconds = reading('microseconds, or a duration such as 95ms', each =>
  /^\d+$/.test(each) ? Number(each) : decodeDuration(each) / 1000,
);
const rate = list(object({ path: text, rate: size }));
const envFile = object({ path, required: boolean, format: oneOf('raw') });

export const service = object({
  annotations: labels,
  attach: boolean,
  blkio_config: object({
    weight: integer,
    weight_device: list(object({ path: text, weight: integer })),
    device_read_bps: rate,
    device_read_iops: rate,
    device_write_bps: rate,
    device_write_iops: rate,
  }),
  build,
  cap_add: texts,
  cap_drop: texts,
  cgroup: oneOf('host', 'private'),
  cgroup_parent: text,
  command: words,
  configs: fileReferences,
  container_name: text,
  cpu_count: integer,
  cpu_percent: number,
  cpu_period: integer,
  cpu_quota: integer,
  cpu_rt_period: microseconds,
  cpu_rt_runtime: microseconds,
  cpu_shares: integer,
  cpus: decimal,
  cpuset: text,
  credential_spec: unsupported('it is for Windows'),
  depends_on: byKind<Record<string, Dependency>>({
    list: named(started),
    map: map((source, context) => ({ ...started, ...orNothing(dependency)(source, context) })),
  }),
  deploy,
  develop,
  device_cgroup_rules: texts,
  devices: list(byKind({ scalar: device, map: deviceObject })),
  dns: oneOrMoreTexts,
  dns_opt: texts,
  dns_search: oneOrMoreTexts,
  domainname: text,
  entrypoint: words,
  env_file: oneOrMore(
    byKind<Infer<typeof envFile>>({
      scalar: (source, context) => ({ path: path(source, context) }),
      map: envFile,
    }),
  ),
  environment: pairs,
  expose: list(
    reading('a port', each => {
      decodeExpose(each);
      return each;
    }),
  ),
  extends: byKind<{ service: string; file?: string }>({
    scalar: (source, context) => ({ service: text(source, context) }),
    map: (source, context) => {
      const { service, file } = object({ service: text, file: path })(source, context);
      if (service === undefined) throw wrongAt(source, 'has no service');
      return { service, ...(file === undefined ? {} : { file }) };
    },
  }),
  external_links: texts,
  extra_hosts: byKind<string[]>({
    list: list(reading('NAME=ADDRESS', readExtraHost)),
    map: (source, context) =>
      Object.entries(map(oneOrMoreTexts)(source, context)).flatMap(([host, all]) =>
        all.map(ip => readExtraHost(`${host}=${ip}`)),
      ),
  }),
  gpus: byKind<Infer<typeof deviceRequest>[]>({
    scalar: (source, context) => {
      oneOf('all')(source, context);
      return [{ count: -1 }];
    },
    list: list(deviceRequest),
  }),
  group_add: texts,
  healthcheck,
  hostname: text,
  image: text,
  init: boolean,
  ipc: text,
  isolation: text,
  label_file: oneOrMore(path),
  labels,
  links: texts,
  logging: object({ driver: text, options: map(text) }),
  mac_address: text,
  mem_limit: size,
  mem_reservation: size,
  mem_swappiness: integer,
  memswap_limit: size,
  models: unsupported('there is no runner of models here'),
  network_mode: text,
  networks: byKind<Record<string, Endpoint | null>>({ list: named(null), map: map(orNothing(endpoint)) }),
  oom_kill_disable: boolean,
  oom_score_adj: integer,
  pid: text,
  pids_limit: integer,
  platform: text,
  ports,
  post_start: hooks,
  pre_stop: hooks,
  privileged: boolean,
  profiles: texts,
  provider: unsupported('there are no providers here'),
  pull_policy: pullPolicy,
  pull_refresh_after: unsupported('write pull_policy: every_DURATION'),
  read_only: boolean,
  restart: text,
  runtime: text,
  scale: integer,
  secrets: fileReferences,
  security_opt: texts,
  shm_size: size,
  stdin_open: boolean,
  stop_grace_period: duration,
  stop_signal: text,
  storage_opt: map(text),
  sysctls: labels,
  tmpfs: oneOrMoreTexts,
  tty: boolean,
  ulimits: checkedUlimits,
  use_api_socket: unsupported('mount the socket as a volume'),
  user: text,
  userns_mode: text,
  uts: oneOf('', 'host'),
  volumes: mounts,
  volumes_from: texts,
  working_dir: text,
});

export type Service = Infer<typeof service>;
