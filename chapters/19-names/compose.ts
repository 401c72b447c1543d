// A compose file: which boxes there ought to be, and in which order they start. https://compose-spec.io
// The engine: mini-docker/cli/compose/load.ts, model.ts and start.ts
import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { Mistake } from '../04-mounts/mistake.ts';
import { parseSpec, type Spec } from '../12-stay/spec.ts';

export const CONDITIONS = ['service_started', 'service_healthy', 'service_completed_successfully'] as const;
export type Condition = (typeof CONDITIONS)[number];

export interface Service {
  spec: Spec;
  /** The conditions that other services must meet before this one is started. */
  dependsOn: Map<string, Condition>;
}

export interface Project {
  /** Also the name of its network, and the beginning of its boxes' names. */
  name: string;
  /** In an order in which they can be started. */
  services: Map<string, Service>;
}

/** A service as it stands in the file, as far as this chapter reads it. */
interface Written {
  image: string;
  command?: string[];
  init?: boolean;
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string; interval?: string; timeout?: string; retries?: number };
  depends_on?: string[] | Record<string, { condition: Condition }>;
}

const KEYS = 'image command init environment ports volumes healthcheck depends_on'.split(' ');

/** @throws Mistake that says what is wrong with the file */
export function readProject(file: string): Project {
  const { name, services } = parseYaml(file) as { name?: string; services?: Record<string, Written> | null };
  const project = name ?? basename(dirname(resolve(file)));
  const read = Object.entries(services ?? {}).map(([service, written]): [string, Service] => {
    if (!written?.image) throw new Mistake(`${service}: an image is needed`);
    const beyond = Object.keys(written).find(key => !KEYS.includes(key));
    if (beyond !== undefined) throw new Mistake(`${service}: this chapter does not know ${beyond}`);
    const { command = [] } = written;
    if (!Array.isArray(command)) throw new Mistake(`${service}: here a command is a list: [sh, -c, …]`);
    return [service, { spec: specOf(project, service, written), dependsOn: conditionsOf(written) }];
  });
  return { name: project, services: inOrder(new Map(read)) };
}

function parseYaml(file: string): object {
  try {
    return parse(readFileSync(file, 'utf8')) ?? {};
  } catch (error) {
    throw new Mistake(`${file}: ${(error as Error).message}`);
  }
}

/** Translates a service into the words of `run`. Its name is an alias of its box. */
function specOf(project: string, service: string, written: Written): Spec {
  const option = (word: string, value: unknown): string[] => (value ? [`--${word}`, `${value}`] : []);
  const { test, interval, timeout, retries } = written.healthcheck ?? {};
  const { spec } = parseSpec([
    ...['--name', `${project}-${service}`, '--hostname', service, '--net', project, '--alias', service],
    ...(written.init ? ['--init'] : []),
    ...(written.ports ?? []).flatMap(each => option('publish', each)),
    ...(written.volumes ?? []).flatMap(each => option('volume', each)),
    ...option('health-cmd', test),
    ...option('health-interval', interval),
    ...option('health-timeout', timeout),
    ...option('health-retries', retries),
    written.image,
    ...(written.command ?? []),
  ]);
  const environment = Object.entries(written.environment ?? {}).map(([key, value]) => `${key}=${value}`);
  return { ...spec, environment };
}

function conditionsOf({ depends_on = [] }: Written): Map<string, Condition> {
  if (Array.isArray(depends_on)) return new Map(depends_on.map(each => [each, 'service_started']));
  const entries = Object.entries(depends_on).map(([each, how]) => [each, how?.condition] as const);
  const wrong = entries.find(([, condition]) => !CONDITIONS.includes(condition));
  if (wrong !== undefined)
    throw new Mistake(`there is no condition ${wrong[1]}; there are ${CONDITIONS.join(', ')}`);
  return new Map(entries);
}

/** Each service after those that it depends on. @throws Mistake for a circle: none of its services can be the first */
function inOrder(services: Map<string, Service>): Map<string, Service> {
  const order = new Map<string, Service>();
  const visit = (name: string, path: readonly string[]): void => {
    if (order.has(name)) return;
    const service = services.get(name);
    if (service === undefined)
      throw new Mistake(`${path.at(-1)} depends on ${name}, which is not in the file`);
    if (path.includes(name)) throw new Mistake(`each waits for the next: ${[...path, name].join(' → ')}`);
    for (const other of service.dependsOn.keys()) visit(other, [...path, name]);
    order.set(name, service);
  };
  for (const name of services.keys()) visit(name, []);
  return order;
}
