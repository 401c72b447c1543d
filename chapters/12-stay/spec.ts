// The specification of a box, parsed from the arguments of `run`.
import { mkdirSync } from 'node:fs';
import { Mistake } from '../04-mounts/mistake.ts';
import { parseVolume, type Volume } from '../04-mounts/volumes.ts';
import { type Limits, parseSize } from '../07-cgroups/groups.ts';
import { type Published, parsePublished } from '../10-network/network.ts';

/** The options of a box. They are kept on disk, so that it can be started again. */
export interface Spec {
  name: string;
  image: string;
  /** The command that replaces the image's own. */
  command: string[];
  /** Variables beyond those of the image: NAME=value. */
  environment?: string[];
  hostname: string;
  init: boolean;
  /** box, none, host, or the name of another box whose network this one shares. Chapter 19: or of a network. */
  net: string;
  published: Published[];
  limits: Limits;
  volumes: Volume[];
  /** Chapter 16: the capabilities that the box's root has, if not the usual ones. */
  capabilities?: readonly number[];
  /** Chapter 16: nothing is taken away from the box's root. */
  privileged?: boolean;
  /** Chapter 19: what else other boxes may call it. */
  aliases?: string[];
  health?: HealthCheck;
  /** Chapter 20: the host that the box is on, its address in the network of all hosts, and its MTU. */
  host?: string;
  address?: string;
  mtu?: number;
}

/** Chapter 19: a command that succeeds while the box works. */
export interface HealthCheck {
  command: string[];
  /** Milliseconds between two checks, and for one. */
  interval: number;
  timeout: number;
  /** So many failures one after another make a box unhealthy. */
  retries: number;
}

/** Options that later chapters add. Each takes its value from the words with `next`. */
export const addedOptions: Record<string, (spec: Spec, next: () => string) => void> = {};

/** Verbs that later chapters add, for the message about one that does not exist. */
export const addedVerbs: string[] = [];

/** Parses options as in docker run, an image, and a command. @throws Mistake */
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
    else if (Object.hasOwn(addedOptions, option)) addedOptions[option]!(spec, next);
    else flags.add(option);
  }
  spec.image = next();
  spec.command = rest;
  return { spec, flags };
}

/** Checks a name that is to become the name of a directory. @throws Mistake */
export function checkName(name: string): string {
  if (/^[a-zA-Z0-9][\w.-]*$/.test(name)) return name;
  throw new Mistake(
    `a name consists of letters, digits and _.-, and starts with a letter or digit: not ${name}`,
  );
}

/** A named volume is a directory that belongs to no box: 'data:/mnt' → '/tmp/box/volumes/data:/mnt'. */
function withDirectory(volume: string): string {
  if (volume.startsWith('/')) return volume;
  const [name = ''] = volume.split(':');
  mkdirSync(`/tmp/box/volumes/${checkName(name)}`, { recursive: true });
  return `/tmp/box/volumes/${volume}`;
}
