// Run, and killed, by adoption.test.ts: starts a container like a daemon, and prints its location.

import type { CreateOptions } from '../container.ts';
import { createRuntime } from '../runtime.ts';

const options: CreateOptions = JSON.parse(process.argv[2]!);
const container = await createRuntime().create(options);
await container.start();
// The container's output is not read: it stays in the pipes.
process.stdout.write(`${container.pid}\n`);
setInterval(() => {}, 1000);
