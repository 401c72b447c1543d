// Names of images in a registry: 127.0.0.1:5000/tools/busybox:1. Before the first slash stands who is asked.
import { Mistake } from '../04-mounts/mistake.ts';

export interface Reference {
  /** '127.0.0.1:5000' */
  host: string;
  /** 'tools/busybox' */
  repository: string;
  /** A tag, or the digest of a manifest. */
  tag: string;
}

const HOST = /^(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:))(?::\d+)?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:[._-]+|\/)[a-z0-9]+)*$/;
const TAG = /^(?:\w[\w.-]{0,127}|sha256:[0-9a-f]{64})$/;

/** @returns undefined if the name does not begin with a host: it is a name of this machine only */
export function findReference(name: string): Reference | undefined {
  const slash = name.indexOf('/');
  const host = name.slice(0, Math.max(slash, 0));
  if (!HOST.test(host)) return undefined;
  const [, repository = '', tag = 'latest'] = /^([^:@]*)(?:[:@](.*))?$/.exec(name.slice(slash + 1)) ?? [];
  if (REPOSITORY.test(repository) && TAG.test(tag)) return { host, repository, tag };
  throw new Mistake(`${name} is not a name: HOST:PORT/NAME, HOST:PORT/NAME:TAG or HOST:PORT/NAME@sha256:…`);
}

/** @throws Mistake if it names no registry */
export function parseReference(name: string): Reference {
  const reference = findReference(name);
  if (reference === undefined) {
    throw new Mistake(`${name} names no registry: put its host and port first, as in 127.0.0.1:5000/${name}`);
  }
  return reference;
}

/** Where a registry listens. As in Docker, only this machine is asked without TLS. */
export function baseOf(host: string): string {
  if (/^(?:localhost|127\.\d+\.\d+\.\d+)(?::\d+)?$/.test(host)) return `http://${host}`;
  return `https://${host === 'docker.io' ? 'registry-1.docker.io' : host}`;
}
