// The images of a project: existing, pulled, or built.

import type { ImageInspect } from '../../formats/engine-api/images.ts';
import type { AnyCommand } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { pullImage } from '../daemon/images-pull.ts';
import { CommandError, ifThere } from '../errors.ts';
import { refuseContentTrust } from '../flags/content-trust.ts';
import { parseFlags } from '../flags/flags.ts';
import { printError, writeError } from '../show/output.ts';
import { imageOf } from './container-body.ts';
import { progress } from './containers.ts';
import type { Project } from './project.ts';
import { pullAge } from './pull-policy.ts';
import type { Service } from './service.ts';

/** Values of another command's flags, as a user would write them; a list is written once for each. */
export type WrittenFlags = Record<string, string | boolean | readonly string[] | undefined>;

/** Runs another mini-docker command. */
export async function runOther(
  command: AnyCommand,
  options: { daemon: DaemonClient; flags: WrittenFlags; args: readonly string[] },
): Promise<number> {
  const words = Object.entries(options.flags).flatMap(([name, value]) =>
    [value ?? []].flat().map(each => `--${name}=${each}`),
  );
  const { flags, given, args } = parseFlags(command.flags, [...words, '--', ...options.args]);
  return (await command.run({ flags, given, args, daemon: options.daemon, name: '', group: {} })) ?? 0;
}

/** Id of the image; undefined when there is none. */
export async function imageId(daemon: DaemonClient, image: string): Promise<string | undefined> {
  return (await imageNamed(daemon, image))?.Id;
}

type Known = Pick<ImageInspect, 'Id' | 'Metadata'>;

const imageNamed = (daemon: DaemonClient, image: string): Promise<Known | undefined> =>
  ifThere(daemon.json<Known>('GET', `/images/${encodeURIComponent(image)}/json`));

export interface ImageOptions {
  build?: boolean;
  noBuild?: boolean;
  /** 'always', 'missing' or 'never'; overrides the services' own settings. */
  pull?: string | undefined;
  quiet?: boolean;
  quietBuild?: boolean;
}

/** Ids of the images by service. */
export async function ensureImages(
  { daemon, project, services }: { daemon: DaemonClient; project: Project; services: readonly string[] },
  { build = false, noBuild = false, pull, quiet = false, quietBuild = false }: ImageOptions,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const done = new Set<string>();
  for (const name of withUsedBuilds(project, services)) {
    const service = project.services[name]!;
    const image = imageOf(project.name, name, service);
    if (service.build === undefined) refuseContentTrust({ skip: undefined, image });
    const policy = pull ?? service.pull_policy ?? 'missing';
    const there = await imageNamed(daemon, image);
    const isThere = there !== undefined;
    const age = pullAge(policy);
    const isOld = age !== undefined && Date.parse(there?.Metadata.LastTagTime ?? '') < Date.now() - age;
    if (service.build !== undefined && !noBuild && (build || policy === 'build' || !isThere)) {
      await buildService({ daemon, project, name, flags: { quiet: quietBuild } });
    } else if (
      ((policy === 'always' || isOld) && service.build === undefined && !done.has(image)) ||
      (!isThere && service.build === undefined)
    ) {
      if (policy === 'never')
        throw new CommandError(`the image ${image} of ${name} is not there, and must not be pulled`);
      await pullService(daemon, { image, service, quiet });
    }
    done.add(image);
    const id = await imageId(daemon, image);
    if (id === undefined)
      throw new CommandError(
        `the image ${image} of ${name} is not there${noBuild ? ', and must not be built' : ''}`,
      );
    ids.set(name, id);
  }
  return ids;
}

/** The services, each after those whose image is a context of its build. */
export function withUsedBuilds(project: Project, services: readonly string[]): string[] {
  const order = new Set<string>();
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name))
      throw new CommandError(`the builds of ${[...path, name].join(' -> ')} need each other`);
    for (const where of Object.values(project.services[name]?.build?.additional_contexts ?? {})) {
      const other = serviceIn(where);
      if (other !== undefined && Object.hasOwn(project.services, other)) visit(other, [...path, name]);
    }
    order.add(name);
  };
  for (const name of services) visit(name, []);
  return [...order];
}

/** The images among the sources of a build's cache; BuildKit has others, written as type=…,ref=… */
const cacheImages = (sources: readonly string[] = []): string[] =>
  sources.flatMap(each => (each.includes('=') ? (/(?:^|,)ref=([^,]+)/.exec(each)?.[1] ?? []) : each));

const serviceIn = (context: string): string | undefined => /^service:(.+)$/.exec(context)?.[1];

export async function pullService(
  daemon: DaemonClient,
  options: { image: string; service: Service; quiet: boolean },
) {
  const { image, service, quiet } = options;
  refuseContentTrust({ skip: undefined, image });
  progress('Image', image, 'Pulling');
  await pullImage(daemon, {
    image,
    platform: service.platform,
    quiet,
    show: writeError,
    terminal: Boolean(process.stderr.isTTY),
  });
  progress('Image', image, 'Pulled');
}

export interface BuildOptions {
  daemon: DaemonClient;
  project: Project;
  name: string;
  /** Flags of `build` that add to the file, or override it. */
  flags: WrittenFlags & { 'build-arg'?: readonly string[] };
}

export async function buildService({ daemon, project, name, flags }: BuildOptions): Promise<void> {
  const service = project.services[name]!;
  const build = service.build!;
  if (build.dockerfile_inline !== undefined && build.dockerfile !== undefined)
    throw new CommandError(`service ${name} has both a dockerfile and a dockerfile_inline`);
  if (build.cache_to !== undefined)
    printError(`WARNING: services.${name}.build.cache_to is ignored: the builder keeps its own cache`);
  const pairs = (values: Record<string, string | null> = {}) =>
    Object.entries(values).map(([key, value]) => (value === null ? key : `${key}=${value}`));
  const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const { join, resolve } = await import('node:path');
  const own =
    build.dockerfile_inline === undefined ? undefined : mkdtempSync(join(tmpdir(), 'mini-docker-compose-'));
  if (own !== undefined) writeFileSync(join(own, 'Dockerfile'), build.dockerfile_inline!);
  const isRemote = /^(https?|git|ssh):|^git@/.test(build.context!);
  const relative = build.dockerfile ?? (own === undefined ? undefined : join(own, 'Dockerfile'));
  const file = relative === undefined || isRemote ? relative : resolve(build.context!, relative);
  const secrets = (build.secrets ?? []).map(({ source = '', target }) => {
    const { file, environment } = project.secrets[source] ?? {};
    return `id=${target ?? source},${environment === undefined ? `src=${file ?? source}` : `env=${environment}`}`;
  });
  const contexts = Object.entries(build.additional_contexts ?? {}).map(([key, where]) => {
    const other = serviceIn(where);
    if (other === undefined) return `${key}=${where}`;
    const used = project.services[other] ?? project.disabled[other];
    if (used === undefined)
      throw new CommandError(
        `services.${name}.build.additional_contexts.${key} names the undefined service ${JSON.stringify(other)}`,
      );
    return `${key}=docker-image://${imageOf(project.name, other, used)}`;
  });
  const ulimits = Object.entries(build.ulimits ?? {});
  try {
    const { build: command } = await import('../commands/build.ts');
    const written: WrittenFlags = {
      ...flags,
      tag: [imageOf(project.name, name, service), ...(build.tags ?? [])],
      file,
      'build-arg': [...pairs(build.args), ...(flags['build-arg'] ?? [])],
      'build-context': contexts,
      'cache-from': cacheImages(build.cache_from),
      label: pairs(build.labels),
      target: build.target,
      network: build.network,
      'add-host': build.extra_hosts,
      secret: secrets,
      platform: build.platforms?.[0] ?? service.platform,
      'shm-size': build.shm_size?.toString(),
      ulimit: ulimits.map(([limit, { soft, hard }]) => `${limit}=${soft}:${hard}`),
      'no-cache': build.no_cache || flags['no-cache'],
      pull: build.pull || flags.pull,
    };
    await runOther(command, { daemon, flags: written, args: [build.context!] });
  } finally {
    if (own !== undefined) rmSync(own, { recursive: true });
  }
}
