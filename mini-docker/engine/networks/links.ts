// `--link` on the default bridge, which has no DNS: names in /etc/hosts, and variables that tell where the other one is
// (https://docs.docker.com/engine/network/links/). On other networks the name server knows links (network/dns/names.ts).

import { ExpectedError } from '../../formats/errors.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { ContainerRecord } from '../state/record.ts';

/** 'web:db' or '/web:/this/db' → { target: 'web', alias: 'db' } */
export function decodeLink(link: string): { target: string; alias: string } {
  const [target = '', alias = target] = link.split(':');
  return { target: target.replace(/^\//, ''), alias: alias.split('/').at(-1)! };
}

/** Those of a container on the default bridge. */
function linksOf({ hostConfig }: ContainerRecord): { target: string; alias: string }[] {
  return hostConfig.NetworkMode === 'bridge' ? (hostConfig.Links ?? []).map(decodeLink) : [];
}

/** Before a start. @throws notFound, and conflict when the other does not run */
export function checkLinks(context: EngineContext, record: ContainerRecord): void {
  for (const { target, alias } of linksOf(record)) {
    const live = context.containers.get(target);
    if (live.run !== undefined) continue;
    throw new ExpectedError(
      'conflict',
      `Cannot link to a non running container: /${live.name} AS /${record.name}/${alias}`,
    );
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

/** DB_PORT=tcp://172.17.0.2:5432 and its like. The variables that the user sets come after these and count. */
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
  return [...context.containers].filter(({ run, record }) => {
    if (run === undefined || record.hostConfig.NetworkMode !== 'bridge') return false;
    const links = record.hostConfig.Links ?? [];
    return links.some(link => context.containers.find(decodeLink(link).target) === target);
  });
}
