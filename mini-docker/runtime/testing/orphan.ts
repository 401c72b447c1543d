// Run by adoption.test.ts, and killed by it: starts a container as a daemon would, and says where it is.

import type { CreateOptions } from '../container.ts';
import { createRuntime } from '../runtime.ts';

const options: CreateOptions = JSON.parse(process.argv[2]!);
const container = await createRuntime().create(options);
await container.start();
// Nobody reads the container's output: what it writes stays in the pipes.
process.stdout.write(`${container.pid}\n`);
setInterval(() => {}, 1000);
