// Converts compose files from before 2016: services at the top level, linked over the default bridge
// (https://docs.docker.com/reference/compose-file/legacy-versions/). The result is a file in today's format.

import { entries } from './shapes.ts';
import type { Source } from './source.ts';

const TOP_LEVEL = /^(version|name|include|services|networks|volumes|secrets|configs|models|x-.*)$/;

/** Whether a file has no key of today's format, and only mappings with an image or a build. */
function isFirstGeneration({ value }: Source): boolean {
  if (!(value instanceof Map) || value.size === 0) return false;
  return [...value].every(
    ([name, each]) =>
      !TOP_LEVEL.test(name) &&
      each.value instanceof Map &&
      ['image', 'build', 'extends'].some(key => (each.value as ReadonlyMap<string, Source>).has(key)),
  );
}

export function modernized(source: Source): Source {
  if (!isFirstGeneration(source)) return source;
  const services = new Map(entries(source).map(([name, each]) => [name, service(each, `services.${name}`)]));
  const value: Source = { value: services, place: source.place, path: 'services' };
  return { ...source, value: new Map([['services', value]]) };
}

function service(source: Source, path: string): Source {
  const old = new Map(entries(source));
  const take = (name: string) => {
    const found = old.get(name);
    old.delete(name);
    return found;
  };
  const inside = (members: Record<string, Source | undefined>, name: string): void => {
    const given = Object.entries(members).filter((each): each is [string, Source] => each[1] !== undefined);
    if (given.length > 0)
      old.set(name, { value: new Map(given), place: given[0]![1].place, path: `${path}.${name}` });
  };
  const build = take('build');
  inside({ context: build, dockerfile: take('dockerfile') }, 'build');
  inside({ driver: take('log_driver'), options: take('log_opt') }, 'logging');
  const net = take('net');
  const mode = typeof net?.value === 'string' ? net.value : 'bridge';
  // A container named here was a service of the file, or a container created outside Compose.
  const isContainer = mode.startsWith('container:');
  const other = mode.slice('container:'.length);
  old.set('network_mode', {
    place: net?.place ?? source.place,
    path: `${path}.network_mode`,
    value: isContainer ? `service:${other}` : mode,
  });
  return { ...source, path, value: old };
}
