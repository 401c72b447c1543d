// Parts of Docker's API that clients do ask for and that are not there: a sentence helps more than "page not found".

import { notSupported } from './errors.ts';
import type { Route } from './router.ts';

const swarm = 'swarm mode is not supported: this daemon runs containers of one host';
const build = 'a build ends with its connection: close that';
const plugins = 'plugins are not supported';

const MISSING: [Route['method'], pattern: string, message: string][] = [
  ['POST', '/build/cancel', build],
  ['POST', '/session', 'BuildKit sessions are not supported: set DOCKER_BUILDKIT=0'],
  ['GET', '/containers/{id}/checkpoints', 'checkpoints are not supported'],
  ['POST', '/containers/{id}/checkpoints', 'checkpoints are not supported'],
  ...['/swarm', '/nodes', '/services', '/tasks', '/secrets', '/configs'].map(
    (pattern): [Route['method'], string, string] => ['GET', pattern, swarm],
  ),
  ...[
    '/swarm/init',
    '/swarm/join',
    '/swarm/leave',
    '/services/create',
    '/secrets/create',
    '/configs/create',
  ].map((pattern): [Route['method'], string, string] => ['POST', pattern, swarm]),
  ['GET', '/plugins', plugins],
  ['POST', '/plugins/pull', plugins],
];

export const unsupportedRoutes: Route[] = MISSING.map(([method, pattern, message]) => ({
  method,
  pattern,
  handle: async () => {
    throw notSupported(message);
  },
}));
