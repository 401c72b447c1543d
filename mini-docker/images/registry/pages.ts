import type { Session, SessionRequest } from './session.ts';
import { bytesOf, type HttpResponse } from './transport.ts';

const PAGE_LIMIT = 16 << 20;

/** A list that comes in pages; each names the next in its header Link (RFC 8288). */
export async function* pages(
  session: Session,
  first: Pick<SessionRequest, 'url' | 'scope' | 'doing'>,
): AsyncGenerator<Buffer> {
  let next: string | undefined = first.url;
  while (next !== undefined) {
    const request = { ...first, url: next, method: 'GET', expect: [200] } as const;
    const response: HttpResponse = await session.send(request);
    yield await bytesOf(response.body, PAGE_LIMIT);
    const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? ''));
    next = link === null ? undefined : new URL(link[1]!, response.url).href;
  }
}
