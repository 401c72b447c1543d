// Volumes. Containers have their anonymous ones, which live and end with them; named ones cannot be managed yet.

import { notSupported } from './errors.ts';
import type { Route } from './router.ts';

const refuse = async () => {
  throw notSupported('volumes cannot be listed or changed yet; anonymous ones are removed with `rm -v`');
};

export const volumeRoutes: Route[] = [
  { method: 'GET', pattern: '/volumes', handle: refuse },
  { method: 'POST', pattern: '/volumes/create', handle: refuse },
  { method: 'POST', pattern: '/volumes/prune', handle: refuse },
  { method: 'GET', pattern: '/volumes/{name}', handle: refuse },
  { method: 'DELETE', pattern: '/volumes/{name}', handle: refuse },
];
