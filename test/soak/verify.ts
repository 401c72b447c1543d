// Compares an engine with what its clients were told before its daemon was killed.
import { type Ask, json } from './engine-requests.ts';
import type { Facts } from './facts.ts';
import { contentOf } from './workload.ts';

interface Listed {
  Names: string[];
  State: string;
  Status: string;
}

/**
 * @param options.images how many images are examined in depth
 * @returns one line for each thing that is wrong; the facts are settled
 */
export async function verify(options: {
  ask: Ask;
  facts: Facts;
  /** Whether the containers' programs ended with the machine. */
  rebooted: boolean;
  images: number;
}): Promise<string[]> {
  const { ask, facts, rebooted } = options;
  const wrong: string[] = [];
  if (rebooted) facts.doubtAfterPowerCut();
  const containers = await json<Listed[]>(ask, 'GET', '/containers/json?all=1');
  const nameOf = ({ Names }: Listed) => Names[0]!.slice(1);
  wrong.push(...facts.settle('container', new Set(containers.map(nameOf))));
  const running = new Set(containers.filter(each => each.State === 'running').map(nameOf));
  wrong.push(...facts.settle('running', running));
  for (const each of containers) {
    const { Config } = await json<{ Config: { Labels?: Record<string, string> } }>(
      ask,
      'GET',
      `/containers/${nameOf(each)}/json`,
    );
    if (Config.Labels?.soak === undefined)
      wrong.push(`container ${nameOf(each)} has lost its record (${each.Status})`);
  }

  const { Volumes } = await json<{ Volumes: { Name: string; Labels: Record<string, string> }[] }>(
    ask,
    'GET',
    '/volumes',
  );
  wrong.push(...facts.settle('volume', new Set(Volumes.map(each => each.Name))));
  for (const { Name, Labels } of Volumes)
    if (Labels?.soak !== Name) wrong.push(`volume ${Name} has lost its labels`);
  const networks = await json<{ Name: string }[]>(ask, 'GET', '/networks');
  wrong.push(...facts.settle('network', new Set(networks.map(each => each.Name))));

  const images = await json<{ RepoTags: string[] | null }[]>(ask, 'GET', '/images/json');
  const tags = images.flatMap(each => each.RepoTags ?? []);
  if (!tags.includes('busybox:latest')) wrong.push('image busybox is lost');
  wrong.push(...facts.settle('image', new Set(tags)));
  const soaked = tags.filter(tag => tag.endsWith(':soak'));
  for (const tag of soaked.slice(-options.images)) wrong.push(...(await damageOf(ask, tag)));
  return wrong;
}

/** Reads an image's file out of a container that is never started. It has no name: a power cut may undo its removal. */
async function damageOf(ask: Ask, tag: string): Promise<string[]> {
  const body = { Image: tag, Cmd: ['true'], Labels: { soak: 'look' } };
  const made = await ask('POST', '/containers/create', body);
  if (made?.status !== 201) return [`no container can be made of the image ${tag}: ${made?.body}`];
  const container = `/containers/${JSON.parse(made.body.toString()).Id}`;
  const archive = await ask('GET', `${container}/archive?path=/soak`);
  await json(ask, 'DELETE', `${container}?force=1`);
  const name = tag.replace(/^.*\//, '').replace(/:soak$/, '');
  const content = contentOf(name);
  const found = archive?.body.subarray(512, 512 + content.length).toString();
  return archive?.status === 200 && found === content
    ? []
    : [`the image ${tag} is damaged: ${archive?.status} ${archive?.body.subarray(0, 100)}`];
}
