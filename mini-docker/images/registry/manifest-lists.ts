// `docker manifest`: image indexes for several platforms, drafted locally and then pushed to the images'
// registry.

import { join } from 'node:path';
import {
  decodeReference,
  encodeReference,
  familiarReference,
  type ImageReference,
  withTag,
} from '../../formats/image-reference.ts';
import {
  type Descriptor,
  decodeManifest,
  descriptor,
  encodeJson,
  type Index,
  MEDIA,
  type Platform,
} from '../../formats/oci/image.ts';
import { unlessMissing } from '../../formats/quietly.ts';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import { array, object, parseObject, string } from '../../formats/schema.ts';
import { readRegular } from '../../linux/kept-file.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import { writeWhole } from '../../linux/whole-file.ts';
import { blobFile } from '../blobs.ts';
import { ImageError } from '../errors.ts';
import type { ManifestLists } from '../image.ts';
import { describeRemote } from './describe.ts';
import { openRepository } from './repository.ts';
import type { Session } from './session.ts';

interface Member {
  /** Full name of the image. */
  from: string;
  descriptor: Descriptor & { platform: Platform };
}

interface Draft {
  reference: ImageReference;
  members: Member[];
}

export interface ManifestListOptions {
  /** Directory of the drafts, created with the first one. */
  directory: string;
  temporary: string;
  withSession<T>(
    reference: ImageReference,
    auth: RegistryAuth | undefined,
    use: (session: Session) => Promise<T>,
  ): Promise<T>;
}

export function manifestLists(options: ManifestListOptions): ManifestLists {
  const { directory, temporary, withSession } = options;
  const pathOf = (reference: ImageReference) =>
    join(directory, `${encodeURIComponent(encodeReference(reference))}.json`);

  function find(reference: ImageReference): Draft | undefined {
    const bytes = unlessMissing(() => readRegular(pathOf(reference)));
    if (bytes === undefined) return undefined;
    const { members } = parseObject(bytes, pathOf(reference));
    return { reference, members: array(decodeMember)(members, 'members') };
  }

  function read(name: string): Draft {
    const reference = withTag(decodeReference(name));
    const draft = find(reference);
    if (draft === undefined)
      throw new ImageError(`No such manifest list: ${familiarReference(reference)}`, { kind: 'notFound' });
    return draft;
  }

  function write({ reference, members }: Draft): void {
    makeDirectories(directory);
    writeWhole(pathOf(reference), encodeJson({ members }), blobFile(temporary));
  }

  async function membersOf(image: string, list: ImageReference, auth: RegistryAuth | undefined) {
    const from = withTag(decodeReference(image));
    if (from.domain !== list.domain) {
      throw new ImageError(
        `${familiarReference(from)} is in another registry than ${familiarReference(list)}: push it to ${list.domain} first`,
      );
    }
    const { images } = await withSession(from, auth, session =>
      describeRemote(openRepository(session, from.path, 'pull'), from),
    );
    if (images.length === 0) throw new ImageError(`${familiarReference(from)} names no platform`);
    return images.map((descriptor): Member => ({ from: encodeReference(from), descriptor }));
  }

  return {
    async create(name, images, { amend = false, auth } = {}) {
      const reference = withTag(decodeReference(name));
      if (reference.digest !== undefined) throw new ImageError('a manifest list needs a tag, not a digest');
      const before = find(reference);
      if (before !== undefined && !amend) {
        throw new ImageError(
          `there is a manifest list ${familiarReference(reference)} already: --amend adds to it`,
        );
      }
      const members = new Map((before?.members ?? []).map(each => [keyOf(each), each]));
      for (const image of images) {
        for (const member of await membersOf(image, reference, auth)) members.set(keyOf(member), member);
      }
      write({ reference, members: [...members.values()] });
      return encodeReference(reference);
    },

    async annotate(name, image, changes) {
      const draft = read(name);
      const from = encodeReference(withTag(decodeReference(image)));
      const found = draft.members.filter(each => each.from === from);
      if (found.length === 0) {
        throw new ImageError(
          `${image} is not in ${familiarReference(draft.reference)}: manifest create --amend adds it`,
        );
      }
      const members = draft.members.map(each => {
        if (each.from !== from) return each;
        const platform = { ...each.descriptor.platform, ...changes };
        return { ...each, descriptor: { ...each.descriptor, platform } };
      });
      write({ ...draft, members });
    },

    async inspect(name, { auth } = {}) {
      const reference = withTag(decodeReference(name));
      const draft = find(reference);
      if (draft !== undefined) return { manifest: indexOf(draft), images: draft.members.map(asSeen) };
      const remote = await withSession(reference, auth, session =>
        describeRemote(openRepository(session, reference.path, 'pull'), reference),
      );
      const images = remote.images.map(descriptor => ({ from: encodeReference(reference), descriptor }));
      return { manifest: parseObject(remote.bytes, 'manifest'), images };
    },

    async push(name, { auth, purge = false } = {}) {
      const draft = read(name);
      const { reference, members } = draft;
      if (members.length === 0) throw new ImageError(`${familiarReference(reference)} has no images in it`);
      const pushed = await withSession(reference, auth, async session => {
        for (const member of members) await bring(session, member, reference.path);
        const index = indexOf(draft);
        const bytes = encodeJson(index);
        const repository = openRepository(session, reference.path, 'pull,push');
        await repository.putManifest(reference.tag!, { bytes, mediaType: index.mediaType! });
        return repository.manifest(reference.tag!);
      });
      if (purge) removeTreeNow(pathOf(reference));
      return pushed.descriptor.digest;
    },

    async remove(name) {
      const { reference } = read(name);
      removeTreeNow(pathOf(reference));
    },
  };
}

const keyOf = ({ descriptor }: Member): string => descriptor.digest;
const asSeen = ({ from, descriptor }: Member) => ({ from, descriptor });

/**
 * Copies an image into the list's repository: a registry accepts an index only when the repository has
 * everything that it names.
 */
async function bring(session: Session, { from, descriptor }: Member, to: string): Promise<void> {
  const source = decodeReference(from);
  if (source.path === to) return;
  const here = openRepository(session, source.path, 'pull');
  const there = openRepository(session, to, 'pull,push');
  const { bytes } = await here.manifest(descriptor.digest);
  const { config, layers } = decodeManifest(bytes);
  for (const blob of [config, ...layers]) {
    if (await there.hasBlob(blob.digest)) continue;
    const open = async function* () {
      yield* (await here.blob(blob.digest, 0)).body;
    };
    await there.upload({ descriptor: blob, open, from: [source.path] });
  }
  await there.putManifest(descriptor.digest, { bytes, mediaType: descriptor.mediaType });
}

/** Docker's list type if all manifests are docker's; otherwise an OCI index. */
function indexOf({ members }: Draft): Index {
  const isDocker = members.every(each => each.descriptor.mediaType === MEDIA.dockerManifest);
  return {
    schemaVersion: 2,
    mediaType: isDocker ? MEDIA.dockerIndex : MEDIA.ociIndex,
    manifests: members.map(each => each.descriptor),
  };
}

function decodeMember(value: unknown, where: string): Member {
  const { from, descriptor: found } = object({}, { from: string, descriptor })(value, where);
  const { platform } = found;
  if (platform === undefined) throw new ImageError(`${where} has no platform`);
  return { from, descriptor: { ...found, platform } };
}
