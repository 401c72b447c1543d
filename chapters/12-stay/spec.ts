// What is asked of a box, read from the words behind `run`.
import { mkdirSync } from 'node:fs';
import { Mistake } from '../04-mounts/mistake.ts';
import { parseVolume, type Volume } from '../04-mounts/volumes.ts';
import { type Limits, parseSize } from '../07-cgroups/groups.ts';
import { type Published, parsePublished } from '../10-network/network.ts';

/** What was asked for. It is kept on disk, so a box can be started again. */
export interface Spec {
  name: string;
  image: string;
  /** Instead of the image's own. */
  command: string[];
  hostname: string;
  init: boolean;
  /** box, none, host, or the name of another box, whose network it is to share. */
  net: string;
  published: Published[];
  limits: Limits;
  volumes: Volume[];
}

/** Options as docker run has them, an image, a command. @throws Mistake */
export function parseSpec(words: readonly string[]): { spec: Spec; flags: Set<string> } {
  const rest = [...words];
  const next = (): string => rest.shift() ?? '';
  const spec: Spec = {
    name: `box-${process.pid}`,
    image: '',
    command: [],
    hostname: 'box',
    init: false,
    net: 'box',
    published: [],
    limits: {},
    volumes: [],
  };
  const flags = new Set<string>();
  while (rest[0]?.startsWith('--')) {
    const option = next();
    if (option === '--name') spec.name = checkName(next());
    else if (option === '--hostname') spec.hostname = next();
    else if (option === '--init') spec.init = true;
    else if (option === '--net') spec.net = next();
    else if (option === '--publish') spec.published.push(parsePublished(next()));
    else if (option === '--volume') spec.volumes.push(parseVolume(withDirectory(next())));
    else if (option === '--memory') spec.limits.memory = parseSize(next());
    else if (option === '--cpus') spec.limits.cpus = Number(next());
    else if (option === '--pids') spec.limits.pids = Number(next());
    else flags.add(option);
  }
  spec.image = next();
  spec.command = rest;
  return { spec, flags };
}

/** It becomes the name of a directory. @throws Mistake */
function checkName(name: string): string {
  if (/^[a-zA-Z0-9][\w.-]*$/.test(name)) return name;
  throw new Mistake(`a name is made of letters, digits and _.-, and not ${name}`);
}

/** A volume that has a name is a directory that belongs to no box: 'data:/mnt' → '/tmp/box/volumes/data:/mnt'. */
function withDirectory(volume: string): string {
  if (volume.startsWith('/')) return volume;
  const [name = ''] = volume.split(':');
  mkdirSync(`/tmp/box/volumes/${checkName(name)}`, { recursive: true });
  return `/tmp/box/volumes/${volume}`;
}
