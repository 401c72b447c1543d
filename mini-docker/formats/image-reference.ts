// Names of images, as docker reads and prints them: the grammar and the defaults are those of
// https://github.com/distribution/reference (docker.io, library/, latest).

import { FormatError } from './errors.ts';

export interface ImageReference {
  /** 'docker.io', 'localhost:5000' */
  domain: string;
  /** 'library/busybox' */
  path: string;
  tag?: string;
  /** 'sha256:…' */
  digest?: string;
}

const DEFAULT_DOMAIN = 'docker.io';
const OFFICIAL = 'library/';
/** Characters of domain and path together. */
const NAME_LIMIT = 255;

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/**
 * Reads what a user wrote ('busybox', 'localhost:5000/a/b:1', 'alpine@sha256:…'), with docker's defaults for domain
 * and path. The tag stays undefined when none is written: `withTag` adds 'latest'.
 * @throws FormatError when the text is not a valid reference
 */
export function decodeReference(text: string): ImageReference {
  const invalid = (why = '') => new FormatError(`invalid reference format${why}: ${JSON.stringify(text)}`);
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw new FormatError(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  let rest = text;
  const at = rest.indexOf('@');
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  if (at >= 0) rest = rest.slice(0, at);
  // A colon behind the last slash starts a tag; one before it belongs to the domain's port.
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (colon >= 0) rest = rest.slice(0, colon);

  const { domain, path } = splitDomain(rest);
  if (path !== path.toLowerCase()) throw invalid(`: repository name (${path}) must be lowercase`);
  if (!DOMAIN.test(domain) || !path.split('/').every(part => COMPONENT.test(part))) throw invalid();
  if (tag !== undefined && !TAG.test(tag)) throw invalid();
  if (digest !== undefined && !DIGEST.test(digest)) throw invalid();
  if (digest?.startsWith('sha256:') && !/^sha256:[0-9a-f]{64}$/.test(digest)) throw invalid();
  if (domain.length + 1 + path.length > NAME_LIMIT) {
    throw new FormatError(`repository name must not be more than ${NAME_LIMIT} characters`);
  }
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The first part is a domain only when it looks like one; 'user/image' is docker.io's. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  let domain = slash >= 0 && isDomain ? first : DEFAULT_DOMAIN;
  const path = slash >= 0 && isDomain ? name.slice(slash + 1) : name;
  if (domain === 'index.docker.io') domain = DEFAULT_DOMAIN;
  return { domain, path: domain === DEFAULT_DOMAIN && !path.includes('/') ? OFFICIAL + path : path };
}

/** With the tag 'latest' when there is neither tag nor digest. */
export const withTag = (reference: ImageReference): ImageReference =>
  reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;

/** In full: 'docker.io/library/busybox:latest'. The same image always has the same text. */
export const encodeReference = (reference: ImageReference): string =>
  `${reference.domain}/${reference.path}${suffix(reference)}`;

/** As docker shows it: 'busybox:latest'. */
export const familiarReference = (reference: ImageReference): string =>
  familiarName(reference) + suffix(reference);

/** The name alone, as docker shows it: 'busybox', 'localhost:5000/a/b'. */
export function familiarName({ domain, path }: ImageReference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : path;
  // 'library/a/b' must stay as it is: 'a/b' is another image.
  return short.includes('/') ? path : short;
}

const suffix = ({ tag, digest }: ImageReference): string =>
  (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
