// Networks. The engine attaches containers to them, but does not let clients manage them yet.

import { notSupported } from './errors.ts';
import { json, type Route } from './router.ts';

const refuse = async () => {
  throw notSupported(
    'networks cannot be listed or changed yet; containers can use bridge, host, none and container:NAME',
  );
};

export const networkRoutes: Route[] = [
  { method: 'GET', pattern: '/networks', handle: refuse },
  { method: 'POST', pattern: '/networks/create', handle: refuse },
  // There are none but those that always are: so much is true, and `docker system prune` goes on.
  { method: 'POST', pattern: '/networks/prune', handle: async () => json({ NetworksDeleted: [] }) },
  { method: 'GET', pattern: '/networks/{id}', handle: refuse },
  { method: 'DELETE', pattern: '/networks/{id}', handle: refuse },
  { method: 'POST', pattern: '/networks/{id}/connect', handle: refuse },
  { method: 'POST', pattern: '/networks/{id}/disconnect', handle: refuse },
];
