// `--link` on the default bridge, which has no DNS: names in /etc/hosts, and variables that describe the
// other container (https://docs.docker.com/engine/network/links/). On other networks the name server handles
// links (network/dns/names.ts).

import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter, conflict } from '../../formats/errors.ts';
import { noSuchContainer } from '../core/errors.ts';
import type { ContainerSet } from '../state/container-set.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { ContainerRecord } from '../state/record.ts';

/** 'web:db' or '/web:/this/db' → { target: 'web', alias: 'db' } */
export function decodeLink(link: string): { target: string; alias: string } {
  const [target = '', alias = target] = link.split(':');
  return { target: target.replace(/^\//, ''), alias: alias.split('/').at(-1)! };
}

/** On user-defined networks the name server handles links, by names that need not exist yet. */
export const hasOwnNames = ({ NetworkMode = 'bridge' }: HostConfig): boolean =>
  !/^(default|bridge|host|none|container:.*)$/.test(NetworkMode);

/**
 * A link as it is stored: by container id, whatever happens to the name. @throws badParameter when there is
 * no such container
 */
export function linkById(containers: ContainerSet, link: string): string {
  const { target, alias } = decodeLink(link);
  const found = containers.find(target);
  if (found === undefined)
    throw badParameter(`could not get container for ${target}: No such container: ${target}`);
  if (found.record.hostConfig.NetworkMode === 'host') throw linksOnHost('host type networking');
  return `${found.id}:${alias}`;
}

export const linksOnHost = (kind: string) =>
  badParameter(
    `conflicting options: ${kind} can't be used with links. This would result in undefined behavior`,
  );

/** Links as the API shows them: '/db:/web/alias'. */
export function shownLinks(containers: ContainerSet, { name, hostConfig }: ContainerRecord): string[] | null {
  const { Links } = hostConfig;
  if (!Links?.length || hasOwnNames(hostConfig)) return Links ?? null;
  return Links.map(decodeLink).flatMap(({ target, alias }) => {
    const found = containers.find(target);
    return found === undefined ? [] : [`/${found.name}:/${name}/${alias}`];
  });
}

/** The names that containers have for others, by the other's id: '/web/db'. */
export function linkNames(containers: ContainerSet): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { name, record } of containers.referring) {
    const { Links } = record.hostConfig;
    if (!Links?.length || hasOwnNames(record.hostConfig)) continue;
    for (const { target, alias } of Links.map(decodeLink))
      names.set(target, [...(names.get(target) ?? []), `/${name}/${alias}`]);
  }
  return names;
}

/**
 * `rm --link /web/db`: removes the link from web; the container stays. @throws notFound when there is no
 * such link
 */
export function removeLink(context: EngineContext, reference: string): void {
  const [name = '', alias = ''] = reference.replace(/^\//, '').split('/');
  const live = context.containers.find(name);
  const links = live?.record.hostConfig.Links ?? [];
  const rest = links.filter(link => decodeLink(link).alias !== alias);
  if (live === undefined || rest.length === links.length) throw noSuchContainer(reference);
  live.record.hostConfig.Links = rest.length > 0 ? rest : null;
  context.records.save(live.record);
}

/** The links of a container on the default bridge. */
function linksOf({ hostConfig }: ContainerRecord): { target: string; alias: string }[] {
  return hostConfig.NetworkMode === 'bridge' ? (hostConfig.Links ?? []).map(decodeLink) : [];
}

/** Called before a start. @throws conflict when a linked container is not running */
export function checkLinks(context: EngineContext, record: ContainerRecord): void {
  for (const { target, alias } of linksOf(record)) {
    const live = context.containers.find(target);
    if (live?.run !== undefined) continue;
    const name = live?.name ?? target.slice(0, 12);
    throw conflict(`Cannot link to a non running container: /${name} AS /${record.name}/${alias}`);
  }
}

/** Lines for /etc/hosts. */
export function linkedHosts(context: EngineContext, record: ContainerRecord): string[] {
  return linksOf(record).flatMap(({ target, alias }) => {
    const live = context.containers.find(target);
    const address = live?.record.networks.bridge?.IPAddress;
    if (live === undefined || !address) return [];
    const names = new Set([alias, live.record.config.Hostname ?? '', live.name]);
    return [`${address}\t${[...names].filter(Boolean).join(' ')}\n`];
  });
}

/** DB_PORT=tcp://172.17.0.2:5432 and the like. The user's own variables come later and override these. */
export function linkedVariables(context: EngineContext, record: ContainerRecord): string[] {
  return linksOf(record).flatMap(({ target, alias }) => {
    const live = context.containers.find(target);
    if (live === undefined) return [];
    const name = alias.replaceAll('-', '_').toUpperCase();
    const address = live.record.networks.bridge?.IPAddress ?? '';
    const ports = exposedPorts(live.record);
    const [first] = ports;
    return [
      ...(first ? [`${name}_PORT=${first.protocol}://${address}:${first.port}`] : []),
      ...ports.flatMap(({ port, protocol }) => {
        const prefix = `${name}_PORT_${port}_${protocol.toUpperCase()}`;
        return [
          `${prefix}=${protocol}://${address}:${port}`,
          `${prefix}_ADDR=${address}`,
          `${prefix}_PORT=${port}`,
          `${prefix}_PROTO=${protocol}`,
        ];
      }),
      `${name}_NAME=/${record.name}/${alias}`,
      ...(live.record.config.Env ?? [])
        .filter(each => each.includes('=') && !/^(HOME|PATH)=/.test(each))
        .map(each => `${name}_ENV_${each}`),
    ];
  });
}

function exposedPorts({ config }: ContainerRecord): { port: number; protocol: string }[] {
  return Object.keys(config.ExposedPorts ?? {})
    .map(key => {
      const [port = '', protocol = 'tcp'] = key.split('/');
      return { port: Number(port), protocol };
    })
    .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}

/** Running containers that have a link to this one. */
export function linkedFrom(context: EngineContext, target: LiveContainer): LiveContainer[] {
  return [...context.containers.referring].filter(({ run, record }) => {
    if (run === undefined || record.hostConfig.NetworkMode !== 'bridge') return false;
    const links = record.hostConfig.Links ?? [];
    return links.some(link => context.containers.find(decodeLink(link).target) === target);
  });
}
