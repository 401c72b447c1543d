// Routes of Docker's API that clients use and that are not implemented: a sentence helps more than "page not
// found". Where dockerd, without swarm and plugins, has an empty answer, the answer is dockerd's.

import { badParameter, type ErrorKind, ExpectedError, notFound } from '../formats/errors.ts';
import { text } from './query.ts';
import { empty, json, type Route, route } from './router.ts';

type Method = Route['method'];

const noManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
const noSwarm = 'swarm mode is not supported: this daemon runs containers of one host';
const noPlugins = "plugins are not supported: volumes, networks and logs are the daemon's own";
const noCheckpoints = 'checkpoints are not supported';

/** Objects of a swarm, each with routes of the same form. */
const SWARM_OBJECTS = ['nodes', 'services', 'tasks', 'secrets', 'configs'].flatMap(
  (kind): [Method, string][] => [
    ['GET', `/${kind}`],
    ['POST', `/${kind}/create`],
    ['GET', `/${kind}/{id}`],
    ['GET', `/${kind}/{id}/logs`],
    ['POST', `/${kind}/{id}/update`],
    ['DELETE', `/${kind}/{id}`],
  ],
);

const refusals = (kind: ErrorKind, message: string, places: [Method, string][]): Route[] =>
  places.map(([method, pattern]) => ({
    method,
    pattern,
    handle: async () => {
      throw new ExpectedError(kind, message);
    },
  }));

const noSuchPlugin: Route['handle'] = async ({ params }) => {
  throw notFound(`plugin "${params.name}" not found`);
};

export const unsupportedRoutes: Route[] = [
  ...refusals('unavailable', noManager, [
    ['GET', '/swarm'],
    ['GET', '/swarm/unlockkey'],
    ['POST', '/swarm/update'],
    ['POST', '/swarm/unlock'],
    ...SWARM_OBJECTS,
  ]),
  ...refusals('unavailable', 'This node is not part of a swarm', [['POST', '/swarm/leave']]),
  ...refusals('notImplemented', noSwarm, [
    ['POST', '/swarm/init'],
    ['POST', '/swarm/join'],
  ]),
  route('GET', '/plugins', async () => json([])),
  ...refusals('notImplemented', noPlugins, [
    ['GET', '/plugins/privileges'],
    ['POST', '/plugins/pull'],
    ['POST', '/plugins/create'],
  ]),
  route('GET', '/plugins/{name:path}/json', noSuchPlugin),
  ...['enable', 'disable', 'push', 'upgrade', 'set'].map(
    (verb): Route => ({ method: 'POST', pattern: `/plugins/{name:path}/${verb}`, handle: noSuchPlugin }),
  ),
  route('DELETE', '/plugins/{name:path}', noSuchPlugin),
  // A build ends with its connection, so there is never one to cancel.
  route('POST', '/build/cancel', async ({ query }) => {
    if (text(query, 'id') === undefined) throw badParameter('build ID not provided');
    return empty(200);
  }),
  ...refusals('notImplemented', 'BuildKit sessions are not supported: set DOCKER_BUILDKIT=0', [
    ['POST', '/session'],
  ]),
  ...refusals('notImplemented', noCheckpoints, [
    ['GET', '/containers/{id}/checkpoints'],
    ['POST', '/containers/{id}/checkpoints'],
  ]),
];
