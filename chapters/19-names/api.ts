// What chapter 19 adds to the daemon: `docker network create`, `ls`, `inspect` and `rm`, `--network-alias`, and the health
// of a box in `docker ps` and `inspect`.
// The engine: mini-docker/api/networks.ts
import { Mistake } from '../04-mounts/mistake.ts';
import { Refusal } from '../18-daemon/boxes.ts';
import { routes } from '../18-daemon/routes.ts';
import { health } from '../18-daemon/shapes.ts';
import { addedWords, understood } from '../18-daemon/wanted.ts';
import { existsHealth, readHealth } from './health.ts';
import { allNetworks, createNetwork, findNetwork, type NamedNetwork, removeNetwork } from './networks.ts';

addedWords.push(({ NetworkingConfig }) =>
  Object.values(NetworkingConfig?.EndpointsConfig ?? {}).flatMap(endpoint =>
    (endpoint?.Aliases ?? []).flatMap(alias => ['--alias', alias]),
  ),
);

understood.add('Healthcheck');
addedWords.push(({ Healthcheck: check }) => {
  const [kind, ...command] = check?.Test ?? [];
  if (check?.StartPeriod) throw new Mistake('this box cannot do --health-start-period: mini-docker can');
  const words = (option: string, value: unknown) => (value ? [`--health-${option}`, `${value}`] : []);
  return [
    ...words('cmd', kind === 'CMD' ? command.map(quote).join(' ') : command.join(' ')),
    ...words('interval', inMilliseconds(check?.Interval)),
    ...words('timeout', inMilliseconds(check?.Timeout)),
    ...words('retries', check?.Retries),
  ];
});

/** A check that is a list of words is no text for a shell. Our boxes check with a shell: it gets the words in quotes. */
const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
/** The API counts in nanoseconds. 0 is what was not said. */
const inMilliseconds = (nanoseconds = 0): string => (nanoseconds ? `${nanoseconds / 1e6}ms` : '');

health.of = ({ name, state }) => (state.spec.health && existsHealth(name) ? readHealth(name) : undefined);

/** @throws Refusal with the status that clients expect */
function named(name: string): NamedNetwork {
  const network = findNetwork(name);
  if (network === undefined) throw new Refusal(404, `network ${name} not found`);
  return network;
}

const shape = ({ name, bridge, prefix }: NamedNetwork): object => ({
  Name: name,
  // A number is enough for us, but clients shorten what they think is an id of 64 digits.
  Id: bridge.padEnd(64, '0'),
  Scope: 'local',
  Driver: 'bridge',
  IPAM: { Driver: 'default', Config: [{ Subnet: `${prefix}.0/24`, Gateway: `${prefix}.1` }] },
  Options: { 'com.docker.network.bridge.name': bridge },
  Containers: {},
  Labels: {},
});

routes.push(
  ['GET', /^\/networks$/, ({ json }) => json(allNetworks().map(shape))],
  ['GET', /^\/networks\/([^/]+)$/, ({ json, name }) => json(shape(named(name)))],
  [
    'POST',
    /^\/networks\/create$/,
    async ({ json, body }) => {
      const { Name, Driver = 'bridge' } = await body<{ Name: string; Driver?: string }>();
      if (Driver !== 'bridge') throw new Mistake(`this box has no driver ${Driver}: mini-docker can`);
      if (findNetwork(Name) !== undefined) throw new Refusal(409, `network with name ${Name} already exists`);
      json({ Id: (shape(createNetwork(Name)) as { Id: string }).Id, Warning: '' }, 201);
    },
  ],
  [
    'DELETE',
    /^\/networks\/([^/]+)$/,
    ({ empty, name }) => {
      removeNetwork(named(name).name);
      empty(204);
    },
  ],
);
