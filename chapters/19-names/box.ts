// Chapter 19. Boxes that find each other by name: chapter 18's box, with networks, a name server, health and projects.
// Run: node chapters/19-names/box.ts network create NAME | network ls | network rm NAME
//      … box.ts run [--net NETWORK] [--alias NAME]… [--health-cmd COMMAND] [--health-interval TIME] [--health-timeout TIME]
//          [--health-retries NUMBER] … IMAGE [COMMAND…], and all the other options and verbs of chapter 18
//      … box.ts health NAME | up FILE | down FILE
import './serve.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { addedVerbs } from '../12-stay/spec.ts';
import { readProject } from './compose.ts';
import { readHealth } from './health.ts';
import { allNetworks, createNetwork, removeNetwork } from './networks.ts';
import { down, up } from './up.ts';

function network([verb = '', name = '']: string[]): void {
  if (verb === 'create') console.log(createNetwork(name).bridge);
  else if (verb === 'rm') removeNetwork(name);
  else if (verb === 'ls')
    for (const each of allNetworks()) console.log(`${each.name}\t${each.bridge}\t${each.prefix}.0/24`);
  else throw new Mistake(`network has no ${verb}; it has create, ls and rm`);
}

addedVerbs.push('network', 'health', 'up', 'down');
const [verb, ...words] = process.argv.slice(2);
const [first = ''] = words;
if (verb === 'network') network(words);
else if (verb === 'health') console.log(readHealth(first).status);
else if (verb === 'up') await up(readProject(first));
else if (verb === 'down') await down(readProject(first));
else {
  if (verb === 'daemon') await import('./api.ts');
  await import('../18-daemon/box.ts');
}
