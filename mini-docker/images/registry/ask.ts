// A registry may be reached in several ways: by its mirrors, by HTTPS, by HTTP. They are tried in turn.

import type { RegistryAuth } from '../../formats/registry-auth.ts';
import { RegistryError } from './errors.ts';
import { openSession, type Session } from './session.ts';
import { type Endpoint, endpointsOf, type RegistrySettings } from './settings.ts';

export interface Registry {
  domain: string;
  settings: RegistrySettings;
  auth?: RegistryAuth | undefined;
  signal?: AbortSignal | undefined;
  /** Mirrors may answer: what is asked changes nothing. */
  mirrored?: boolean;
  /** URL, in place of the registry's own. */
  base?: string;
}

/** Throws the RegistryError that tells most. */
export async function askRegistry<T>(registry: Registry, ask: (session: Session) => Promise<T>): Promise<T> {
  const { domain, settings, auth, signal, mirrored = false, base } = registry;
  let failure: unknown;
  for (const found of endpointsOf(domain, settings, mirrored)) {
    const endpoint = base === undefined ? found : { ...found, base };
    // A mirror is not to learn the password for what it mirrors.
    const session = openSession({
      endpoint,
      auth: endpoint.isMirror ? undefined : auth,
      signal,
      // Pushes are not downloads.
      attempts: mirrored ? settings.maxAttempts : undefined,
    });
    try {
      return await ask(session);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RegistryError)) throw error;
      failure = moreTelling(failure, error);
      if (isFinal(endpoint, error)) break;
    } finally {
      session.close();
    }
  }
  throw failure;
}

/** Whether a server has answered: asking again without TLS would only give the password away. */
const isFinal = (endpoint: Endpoint, error: RegistryError): boolean =>
  !endpoint.isMirror && error.status !== undefined;

/** Of two endpoints' failures, the one that a server has answered, or else the later one. */
function moreTelling(before: unknown, after: RegistryError): unknown {
  return before instanceof RegistryError && before.status !== undefined && after.status === undefined
    ? before
    : after;
}
