// What an image store can do with registries, by the names that users write.
import { decodeReference, type ImageReference, withTag } from '../../formats/image-reference.ts';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import type { Content } from '../content.ts';
import type { ImageStore, PushImageOptions } from '../image.ts';
import { decodePlatformText } from '../platform.ts';
import { RegistryError } from './errors.ts';
import { isFinal, moreTelling, pullImage } from './pull.ts';
import { pushImage } from './push.ts';
import { openRepository } from './repository.ts';
import { openSession, type Session } from './session.ts';
import { endpointsOf, type RegistrySettings } from './settings.ts';

export type RegistryMethods = Pick<ImageStore, 'pull' | 'push' | 'remoteTags' | 'login'>;

export function registryMethods(content: Content, settings: RegistrySettings): RegistryMethods {
  return {
    pull(text, { platform, ...options } = {}) {
      const reference = withTag(decodeReference(text));
      const wanted = platform === undefined ? undefined : decodePlatformText(platform);
      return pullImage(content, { reference, settings, platform: wanted, ...options });
    },
    push(text, options = {}) {
      return pushImage(content, { reference: withTag(decodeReference(text)), settings, ...options });
    },
    remoteTags(text, options = {}) {
      const reference = decodeReference(text);
      return withSession(reference, settings, options, session =>
        openRepository(session, reference.path, 'pull').tags(),
      );
    },
    async login(auth) {
      const reference = { domain: domainOf(auth), path: '' };
      await withSession(reference, settings, { auth }, async session => {
        const doing = `log in to ${reference.domain}`;
        const response = await session.send({ method: 'GET', url: '/v2/', expect: [200], doing });
        response.body.resume();
      });
    },
  };
}

/** 'https://index.docker.io/v1/', the server's old address, stands for docker.io. */
function domainOf({ serveraddress = '' }: RegistryAuth): string {
  const host = serveraddress.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

async function withSession<T>(
  { domain }: Pick<ImageReference, 'domain'>,
  settings: RegistrySettings,
  { auth, signal }: PushImageOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  let failure: unknown;
  for (const endpoint of endpointsOf(domain, settings, false)) {
    const session = openSession({ endpoint, auth, signal });
    try {
      return await use(session);
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
