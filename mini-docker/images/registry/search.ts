// `docker search`: Docker Hub and others answer at /v1/search; a plain registry only lists its repositories
// (distribution specification 1.1, "Listing repositories" of Docker's own, /v2/_catalog), and the list is
// searched here.

import { array, boolean, integer, object, or, parse, string, strings } from '../../formats/schema.ts';
import type { FoundImage } from '../image.ts';
import { RegistryError } from './errors.ts';
import { pages } from './pages.ts';
import type { Session } from './session.ts';
import { bytesOf } from './transport.ts';

const ANSWER_LIMIT = 16 << 20;

/** @throws RegistryError, FormatError when the registry has no usable answer */
export async function searchRegistry(
  session: Session,
  { term, limit }: { term: string; limit: number },
): Promise<FoundImage[]> {
  const doing = `search ${session.endpoint.domain}`;
  const query = new URLSearchParams({ q: term, n: String(limit) });
  try {
    const response = await session.send({ method: 'GET', url: `/v1/search?${query}`, expect: [200], doing });
    const { results } = parse(await bytesOf(response.body, ANSWER_LIMIT), 'search result', searchResult);
    return results.slice(0, limit).map(({ star_count, is_official, ...found }) => ({
      ...found,
      stars: star_count,
      official: is_official,
    }));
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

const searchResult = object(
  {},
  {
    results: or(
      array(
        object(
          {},
          {
            name: string,
            description: or(string, ''),
            star_count: or(integer, 0),
            is_official: or(boolean, false),
          },
        ),
      ),
      [],
    ),
  },
);

const catalog = object({}, { repositories: or(strings, []) });

async function repositories(session: Session, doing: string): Promise<string[]> {
  const all: string[] = [];
  const first = { url: '/v2/_catalog', scope: 'registry:catalog:*', doing };
  for await (const page of pages(session, first)) all.push(...parse(page, 'catalog', catalog).repositories);
  return all;
}
