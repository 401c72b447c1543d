// Run in a cgroup namespace, as a daemon in a container is: makes a cgroup with a limit, and tells.
import { readFileSync } from 'node:fs';
import { createCgroup } from '../../mini-docker/runtime/cgroups/create.ts';

const cgroup = createCgroup({ path: '/mini-docker/nested', resources: { pids: { limit: 7 } } });
const limit = readFileSync(`${cgroup.directories[0]}/pids.max`, 'utf8').trim();
const own = readFileSync('/proc/self/cgroup', 'utf8').trim().replace('0::', '');
console.log(`pids.max is ${limit}, and the root's processes are in ${own}`);
await cgroup.delete();
