// The image store's operations on registries, by the names that users write.
import { join } from 'node:path';
import { decodeReference, withTag } from '../../formats/image-reference.ts';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import type { Requirement } from '../../formats/signature-policy.ts';
import type { Content } from '../content.ts';
import type { ImageStore } from '../image.ts';
import { decodePlatformText } from '../platform.ts';
import { fetchSignatures } from '../trust/attachments.ts';
import type { Trust } from '../trust/trust.ts';
import { askRegistry } from './ask.ts';
import { describeRemote } from './describe.ts';
import { manifestLists } from './manifest-lists.ts';
import { explainPull, pullImage } from './pull.ts';
import { pushImage } from './push.ts';
import { openRepository } from './repository.ts';
import { searchRegistry } from './search.ts';
import type { RegistrySettings } from './settings.ts';

/** Docker Hub's host for searches, which is not its registry. */
const HUB_SEARCH = 'https://index.docker.io';

export type RegistryMethods = Pick<
  ImageStore,
  'pull' | 'push' | 'remoteTags' | 'login' | 'describeRemote' | 'examine' | 'search' | 'manifestLists'
>;

export function registryMethods(content: Content, settings: RegistrySettings, trust: Trust): RegistryMethods {
  return {
    pull(text, { platform, ...options } = {}) {
      const reference = withTag(decodeReference(text));
      const wanted = platform === undefined ? undefined : decodePlatformText(platform);
      return pullImage(content, { reference, settings, trust, platform: wanted, ...options });
    },
    push(text, options = {}) {
      return pushImage(content, { reference: withTag(decodeReference(text)), settings, ...options });
    },
    remoteTags(text, options = {}) {
      const reference = decodeReference(text);
      return askRegistry({ domain: reference.domain, settings, ...options, mirrored: true }, session =>
        openRepository(session, reference.path, 'pull').tags(),
      ).catch(error => {
        throw explainPull(error, reference);
      });
    },
    async login(auth) {
      const reference = { domain: domainOf(auth) };
      await askRegistry({ ...reference, settings, auth }, async session => {
        const doing = `log in to ${reference.domain}`;
        const response = await session.send({ method: 'GET', url: '/v2/', expect: [200], doing });
        response.body.resume();
      });
    },
    describeRemote(text, options = {}) {
      const reference = withTag(decodeReference(text));
      return askRegistry({ domain: reference.domain, settings, ...options, mirrored: true }, session =>
        describeRemote(openRepository(session, reference.path, 'pull'), reference),
      );
    },
    examine(text, { key, ...options } = {}) {
      const reference = withTag(decodeReference(text));
      const requirement = key === undefined ? undefined : signedBy(key);
      return askRegistry(
        { domain: reference.domain, settings, ...options, mirrored: true },
        async session => {
          const repository = openRepository(session, reference.path, 'pull');
          const { digest } = (await repository.manifest(reference.digest ?? reference.tag!)).descriptor;
          const signatures = await fetchSignatures(repository, [digest]);
          return { digest, ...trust.examine({ reference, digests: [digest] }, signatures, requirement) };
        },
      ).catch(error => {
        throw explainPull(error, reference);
      });
    },
    search(text, { limit, ...options }) {
      const [, domain = 'docker.io', term = ''] = /^(?:([^/]*[.:][^/]*|localhost)\/)?(.*)$/.exec(text) ?? [];
      return askRegistry(
        { domain, settings, ...options, ...(domain === 'docker.io' && { base: HUB_SEARCH }) },
        session => searchRegistry(session, { term, limit }),
      );
    },
    manifestLists: manifestLists({
      directory: join(content.temporary, '..', 'manifest-lists'),
      temporary: content.temporary,
      withSession: ({ domain }, auth, use) => askRegistry({ domain, settings, auth }, use),
    }),
  };
}

/** @param key in PEM */
const signedBy = (key: string): Requirement => ({
  type: 'sigstoreSigned',
  files: [],
  data: [Buffer.from(key).toString('base64')],
  identity: { type: 'matchRepository' },
});

/** 'https://index.docker.io/v1/', the server's former address, means docker.io. */
function domainOf({ serveraddress = '' }: RegistryAuth): string {
  const host = serveraddress.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}
