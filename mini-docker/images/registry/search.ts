// `docker search`: Docker Hub and others answer at /v1/search; a plain registry has only a list of all its repositories
// (distribution specification 1.1, "Listing repositories" of Docker's own, /v2/_catalog), and we look through that.
import { array, boolean, integer, object, optional, parseObject, string } from '../../formats/json-fields.ts';
import type { FoundImage } from '../image.ts';
import { RegistryError } from './errors.ts';
import type { Session } from './session.ts';
import { bytesOf, type HttpResponse } from './transport.ts';

const ANSWER_LIMIT = 16 << 20;

/** Throws RegistryError and FormatError. */
export async function searchRegistry(
  session: Session,
  { term, limit }: { term: string; limit: number },
): Promise<FoundImage[]> {
  const doing = `search ${session.endpoint.domain}`;
  const query = new URLSearchParams({ q: term, n: String(limit) });
  try {
    const response = await session.send({ method: 'GET', url: `/v1/search?${query}`, expect: [200], doing });
    const fields = parseObject(await bytesOf(response.body, ANSWER_LIMIT), 'search result');
    return array(fields.results ?? [], 'results', decodeFound).slice(0, limit);
  } catch (error) {
    const isMissing = error instanceof RegistryError && (error.status === 404 || error.status === 405);
    if (!isMissing) throw error;
  }
  const names = await repositories(session, doing);
  return names
    .filter(name => name.includes(term))
    .slice(0, limit)
    .map(name => ({
      name: `${session.endpoint.domain}/${name}`,
      description: '',
      stars: 0,
      official: false,
    }));
}

function decodeFound(value: unknown, where: string): FoundImage {
  const fields = object(value, where);
  return {
    name: string(fields.name, `${where}.name`),
    description: optional(fields, 'description', where, string) ?? '',
    stars: optional(fields, 'star_count', where, integer) ?? 0,
    official: optional(fields, 'is_official', where, boolean) ?? false,
  };
}

async function repositories(session: Session, doing: string): Promise<string[]> {
  const all: string[] = [];
  let next: string | undefined = '/v2/_catalog';
  while (next !== undefined) {
    const scope = 'registry:catalog:*';
    const response: HttpResponse = await session.send({
      method: 'GET',
      url: next,
      scope,
      expect: [200],
      doing,
    });
    const fields = parseObject(await bytesOf(response.body, ANSWER_LIMIT), 'catalog');
    all.push(...array(fields.repositories ?? [], 'repositories', string));
    const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? ''));
    next = link === null ? undefined : new URL(link[1]!, response.url).href;
  }
  return all;
}
