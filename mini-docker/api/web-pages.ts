// Refuses requests from web pages. A page may send requests to a daemon that listens on TCP, even on
// localhost: a browser lets it send some kinds without asking the server, and only withholds the answer. No
// client of the API is a page in a browser.
import type { IncomingMessage } from 'node:http';
import { badParameter, forbidden } from '../formats/errors.ts';
import { hasBody } from './json-body.ts';

/**
 * Content types that a page may send without asking.
 * https://fetch.spec.whatwg.org/#cors-safelisted-request-header
 */
const SENT_UNASKED = /^\s*(text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)\s*(;|$)/i;

/** `docker import` labels its archive text/plain. */
const IMPORT = /^(?:\/v[\d.]+)?\/images\/create\?/;

/**
 * @throws forbidden when a browser reports that a page has sent the request; badParameter when a page could
 * have
 */
export function refuseWebPages(request: IncomingMessage): void {
  const { method, headers, url = '', socket } = request;
  // https://www.w3.org/TR/fetch-metadata/: 'none' means that a user typed the address.
  const { origin, 'sec-fetch-site': site = 'none' } = headers;
  if (origin !== undefined || site !== 'none') {
    throw forbidden(
      `this API is not for web pages: the request has the header ${origin === undefined ? 'Sec-Fetch-Site' : 'Origin'}`,
    );
  }
  // No browser connects to a Unix socket: scripts may send archives there with curl's own content type.
  if (socket.remoteAddress === undefined) return;
  const type = headers['content-type'] ?? '';
  // Before any other method a browser asks the server; the docker command labels the archive that it copies
  // into a container text/plain.
  if (method === 'POST' && hasBody(request) && SENT_UNASKED.test(type) && !IMPORT.test(url)) {
    throw badParameter(
      `unsupported Content-Type header (${type}): must be 'application/json' or 'application/x-tar'`,
    );
  }
}
