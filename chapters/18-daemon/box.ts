// Chapter 18. A daemon, of which the real docker command is a client: chapter 17's box, as a service.
// Run: node chapters/18-daemon/box.ts daemon [SOCKET]
//      … box.ts logs [--follow] NAME
//      … box.ts run … IMAGE [COMMAND…], and all the other verbs of chapter 17
// What chapter 16 takes away from root, it takes away from the boxes of a daemon, too.
import '../16-rights/rights.ts';
import { existsSync } from 'node:fs';
import { addedVerbs } from '../12-stay/spec.ts';
import { outputFile, printLogs } from './output.ts';

addedVerbs.push('daemon');
const [verb, first = ''] = process.argv.slice(2);
const last = process.argv.at(-1)!;
if (verb === 'daemon') {
  const socket = first || '/tmp/box/docker.sock';
  const { recover } = await import('./life.ts');
  const { routes } = await import('./routes.ts');
  const { claim, serve } = await import('./server.ts');
  await claim(socket);
  // Before the first request: until then no client can see, or change, what is half recovered.
  recover();
  await serve(socket, routes);
  console.log(`serving at ${socket}`);
} else if (verb === 'keep') {
  const { keepWithClients } = await import('./keeper.ts');
  process.exitCode = await keepWithClients(first);
} else if (verb === 'logs' && existsSync(outputFile(last))) {
  await printLogs(last, process.argv.includes('--follow'));
} else {
  await import('../17-registry/box.ts');
}
