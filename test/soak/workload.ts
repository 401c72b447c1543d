// A client that changes everything an engine keeps, in an order that its seed decides, and notes what it was told.
import type { Random } from '../fuzz/random.ts';
import { contextOf } from '../support/building.ts';
import { type Ask, errorIn } from './engine-requests.ts';
import type { Facts } from './facts.ts';

export interface Client {
  /** Begins the names of all its objects. */
  name: string;
  ask: Ask;
  random: Random;
  facts: Facts;
  /** Host and port of the registry that has soak/NAME; undefined: nothing is pulled. */
  registry: string | undefined;
  /** Receives answers that should not have been. */
  wrong(finding: string): void;
}

/** It ends with 7 when it is stopped. */
const SCRIPT = 'trap "exit 7" TERM; sleep 100000 & wait';

/** A file that shows damage: the name in every line, over several blocks of a disk. */
export const contentOf = (name: string): string => `${name}\n`.repeat(4000);

/** Changes things until a request is not answered or `until` is aborted. */
export async function work(client: Client, until: AbortSignal): Promise<void> {
  let number = client.random.integer(1_000_000_000);
  while (!until.aborted) {
    const fresh = `${client.name}-${(number++).toString(36)}`;
    if (!(await client.random.pick(CHANGES)(client, fresh))) return;
  }
}

/** @returns whether the daemon has answered */
type Change = (client: Client, fresh: string) => Promise<boolean>;

const CHANGES: readonly Change[] = [
  create,
  create,
  start,
  start,
  start,
  exec,
  stop,
  rename,
  remove,
  remove,
  commit,
  build,
  pull,
  untag,
  addNetwork,
  connect,
  removeNetwork,
  addVolume,
  removeVolume,
];

/** One of the client's own objects; undefined without any. */
function own({ name, facts, random }: Client, kind: Parameters<Facts['names']>[0]): string | undefined {
  const names = facts.names(kind, 'there').filter(each => each.includes(name));
  return names.length === 0 ? undefined : random.pick(names);
}

/** Sends a request, and notes those facts that it makes so. */
async function change(
  client: Client,
  [method, path, body]: Parameters<Ask>,
  becomes: readonly Parameters<Facts['tell']>[],
): Promise<boolean> {
  for (const [kind, name] of becomes) client.facts.tell(kind, name, 'asked');
  const answer = await client.ask(method, path, body);
  if (answer === undefined) return false;
  const error = errorIn(answer);
  if (error === undefined) for (const each of becomes) client.facts.tell(...each);
  // As in Docker, a network may be removed while a container that is not running is to use it.
  else if (!/network \S+ not found/.test(error)) client.wrong(`${method} ${path}: ${error}`);
  return true;
}

async function create(client: Client, fresh: string): Promise<boolean> {
  if (client.facts.names('container', 'there').filter(each => each.startsWith(client.name)).length > 3)
    return true;
  const network = client.random.chance(0.5) ? own(client, 'network') : undefined;
  const volume = client.random.chance(0.5) ? own(client, 'volume') : undefined;
  const HostConfig = {
    NetworkMode: network ?? 'none',
    Binds: volume === undefined ? [] : [`${volume}:/data`],
  };
  const body = { Image: 'busybox', Cmd: ['sh', '-c', SCRIPT], Labels: { soak: fresh }, HostConfig };
  return change(client, ['POST', `/containers/create?name=${fresh}`, body], [['container', fresh, 'there']]);
}

async function start(client: Client): Promise<boolean> {
  const name = own(client, 'container');
  if (name === undefined) return true;
  return change(client, ['POST', `/containers/${name}/start`], [['running', name, 'there']]);
}

async function exec(client: Client): Promise<boolean> {
  const name = own(client, 'running');
  if (name === undefined) return true;
  const body = { Cmd: ['sh', '-c', 'exit 3'], AttachStdout: true };
  const made = await client.ask('POST', `/containers/${name}/exec`, body);
  if (made === undefined) return false;
  const { Id } = JSON.parse(made.body.toString());
  if ((await client.ask('POST', `/exec/${Id}/start`, {})) === undefined) return false;
  const answer = await client.ask('GET', `/exec/${Id}/json`);
  if (answer === undefined) return false;
  const { ExitCode } = JSON.parse(answer.body.toString());
  if (ExitCode !== 3) client.wrong(`an exec in ${name} ended with ${ExitCode}`);
  return true;
}

async function stop(client: Client): Promise<boolean> {
  const name = own(client, 'running');
  if (name === undefined) return true;
  return change(client, ['POST', `/containers/${name}/stop`], [['running', name, 'gone']]);
}

async function rename(client: Client, fresh: string): Promise<boolean> {
  const name = own(client, 'container');
  if (name === undefined || client.facts.names('running', 'there').includes(name)) return true;
  return change(
    client,
    ['POST', `/containers/${name}/rename?name=${fresh}`],
    [
      ['container', name, 'gone'],
      ['container', fresh, 'there'],
    ],
  );
}

async function remove(client: Client): Promise<boolean> {
  const name = own(client, 'container');
  if (name === undefined) return true;
  return change(
    client,
    ['DELETE', `/containers/${name}?force=1`],
    [
      ['running', name, 'gone'],
      ['container', name, 'gone'],
    ],
  );
}

/** At most some images, which take room. */
const hasRoom = (client: Client): boolean =>
  client.facts.names('image', 'there').filter(each => each.includes(client.name)).length < 4;

async function commit(client: Client, fresh: string): Promise<boolean> {
  const container = own(client, 'container');
  if (container === undefined || !hasRoom(client)) return true;
  const archive = contextOf({ soak: contentOf(`commit-${fresh}`) });
  if ((await client.ask('PUT', `/containers/${container}/archive?path=/`, archive)) === undefined)
    return false;
  const path = `/commit?container=${container}&repo=commit-${fresh}&tag=soak`;
  return change(client, ['POST', path, {}], [['image', `commit-${fresh}:soak`, 'there']]);
}

async function build(client: Client, fresh: string): Promise<boolean> {
  if (!hasRoom(client)) return true;
  const Dockerfile = 'FROM busybox\nCOPY soak /soak\nRUN cat /soak >/again\n';
  const context = contextOf({ Dockerfile, soak: contentOf(`build-${fresh}`) });
  return change(
    client,
    ['POST', `/build?t=build-${fresh}:soak`, context],
    [['image', `build-${fresh}:soak`, 'there']],
  );
}

async function pull(client: Client): Promise<boolean> {
  if (client.registry === undefined) return true;
  const name = `${client.registry}/soak-${client.name}`;
  return change(
    client,
    ['POST', `/images/create?fromImage=${name}&tag=soak`],
    [['image', `${name}:soak`, 'there']],
  );
}

async function untag(client: Client): Promise<boolean> {
  const name = own(client, 'image');
  if (name === undefined) return true;
  return change(client, ['DELETE', `/images/${name}?force=1`], [['image', name, 'gone']]);
}

async function addNetwork(client: Client, fresh: string): Promise<boolean> {
  if (client.facts.names('network', 'there').filter(each => each.startsWith(client.name)).length > 2)
    return true;
  return change(client, ['POST', '/networks/create', { Name: fresh }], [['network', fresh, 'there']]);
}

/** Connects a running container and takes it away again: what is left of that after a kill is the daemon's to find. */
async function connect(client: Client): Promise<boolean> {
  const [Container, network] = [own(client, 'running'), own(client, 'network')];
  if (Container === undefined || network === undefined) return true;
  const connected = await client.ask('POST', `/networks/${network}/connect`, { Container });
  if (connected === undefined) return false;
  // It may be on this network, or on none, which excludes others.
  if (connected.status >= 400) return true;
  return (await client.ask('POST', `/networks/${network}/disconnect`, { Container })) !== undefined;
}

async function removeNetwork(client: Client): Promise<boolean> {
  const network = own(client, 'network');
  if (network === undefined) return true;
  client.facts.tell('network', network, 'asked');
  const answer = await client.ask('DELETE', `/networks/${network}`);
  if (answer === undefined) return false;
  // 403: a container is on it.
  client.facts.tell('network', network, answer.status === 403 ? 'there' : 'gone');
  return true;
}

async function addVolume(client: Client, fresh: string): Promise<boolean> {
  if (client.facts.names('volume', 'there').filter(each => each.startsWith(client.name)).length > 2)
    return true;
  const body = { Name: fresh, Labels: { soak: fresh } };
  return change(client, ['POST', '/volumes/create', body], [['volume', fresh, 'there']]);
}

async function removeVolume(client: Client): Promise<boolean> {
  const volume = own(client, 'volume');
  if (volume === undefined) return true;
  client.facts.tell('volume', volume, 'asked');
  const answer = await client.ask('DELETE', `/volumes/${volume}`);
  if (answer === undefined) return false;
  // 409: a container uses it.
  client.facts.tell('volume', volume, answer.status === 409 ? 'there' : 'gone');
  return true;
}
