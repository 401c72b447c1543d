// Pushes and pulls by hand, request by request; then with the chapter's own box.
import type { Lab } from '../../learn/grader/lab.ts';
import { withBox } from './check-clients.ts';
import {
  digestOf,
  freePort,
  LOCATION,
  type Registry,
  type Step,
  seen,
  startRegistry,
} from './check-requests.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export async function checkRegistry(lab: Lab): Promise<void> {
  const { random } = lab;
  const [port, directory] = [freePort(lab), `/tmp/${random.word()}`];
  const { host, running, ask } = await startRegistry(lab, port, directory);
  const [name, other] = [`${random.word()}/${random.word()}`, random.word()];
  const [one, two] = [random.word(2000), random.word(3000)];
  const blob = (digest: string, where = name): string => `/v2/${where}/blobs/${digest}`;
  const begin = (query = '', where = name): Step => ({
    method: 'POST',
    path: `/v2/${where}/blobs/uploads/${query}`,
  });
  const end = (digest: string, body?: string): Step => ({
    method: 'PUT',
    path: LOCATION,
    digest,
    ...(body === undefined ? {} : { body }),
  });

  const [begun, put, got] = await ask(begin(), end(digestOf(one), one), { path: blob(digestOf(one)) });
  lab.promise('begin', begun.status === 202 && begun.headers.location !== undefined, {
    promised: 'POST …/blobs/uploads/ answers 202, and says in Location where to send the blob',
    seen: seen(begun),
    look: 'begin()',
  });
  lab.promise('stored', put.status === 201 && got.status === 200 && got.body === one, {
    promised: 'after PUT LOCATION?digest=…, which answers 201, the repository has the blob',
    seen: `${seen(put)}; then GET: ${seen(got)}`,
    look: 'finish(), and addLink()',
  });
  const both = digestOf(one + two);
  const [, , , last, joined] = await ask(
    begin(),
    { method: 'PATCH', path: LOCATION, body: one },
    { method: 'PATCH', path: LOCATION, body: two },
    end(both),
    { path: blob(both) },
  );
  lab.promise('pieces', last.status === 201 && joined.body === one + two, {
    promised: 'a blob that was sent in two pieces, with PATCH, is both of them',
    seen: `PUT: ${seen(last)}; then GET: ${seen(joined)}`,
    look: 'append() puts a piece behind the others',
  });
  const wrong = digestOf(random.word());
  const [, refused, absent] = await ask(begin(), end(wrong, two), { path: blob(wrong) });
  lab.promise('digest', refused.status === 400 && absent.status === 404, {
    promised: 'a blob with another digest than announced is refused with 400, and GET answers 404',
    seen: `${seen(refused)}; then GET: ${seen(absent)}`,
    look: 'who tells you that the bytes are those of the digest?',
  });

  const foreign = blob(digestOf(one), other);
  const [hidden, mounted, visible] = await ask(
    { path: foreign },
    begin(`?mount=${digestOf(one)}&from=${name}`, other),
    { path: foreign },
  );
  lab.promise('own-blobs', hidden.status === 404, {
    promised: `a blob of ${name} is not in ${other}, even for a client that knows its digest`,
    seen: seen(hidden),
    look: 'the links of a repository; the bytes are shared, the right to read them is not',
  });
  lab.promise('mount', mounted.status === 201 && visible.body === one, {
    promised: `POST …?mount=DIGEST&from=${name} answers 201, and ${other} has the blob without an upload`,
    seen: `${seen(mounted)}; then GET: ${seen(visible)}`,
    look: 'a link is enough',
  });
  const [nothing] = await ask(begin(`?mount=${wrong}&from=${name}`, other));
  lab.promise('no-mount', nothing.status === 202 && nothing.headers.location !== undefined, {
    promised: 'when there is no such blob to mount, the same POST begins an upload: 202',
    seen: seen(nothing),
    look: 'what does the other repository have?',
  });

  const { read, newest } = await checkManifests(lab, ask, { name, layer: one, both, wrong });
  running.kill();
  await running.ended;
  const restarted = await startRegistry(lab, port, directory);
  const [stays] = await restarted.ask(read);
  lab.promise('stays', stays.body === newest, {
    promised: 'after kill -9 and a new start everything is there',
    seen: seen(stays),
    look: 'what is in memory is gone: everything has to be in files',
  });
  await withBox(lab, host);
}

interface Stored {
  /** The repository, and what is in it: a layer, and a digest of which it is a part; `wrong` is not there. */
  name: string;
  layer: string;
  both: string;
  wrong: string;
}

/** @returns how the newest manifest is read, and what it says */
async function checkManifests(lab: Lab, ask: Registry['ask'], { name, layer, both, wrong }: Stored) {
  const { random } = lab;
  const tag = `t${random.integer(1, 99)}`;
  const manifestOf = (...digests: string[]): string =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: random.word(), digest: digestOf(layer), size: layer.length },
      layers: digests.map(digest => ({ mediaType: random.word(), digest, size: 1 })),
    });
  const manifest = (reference: string, body?: string): Step => ({
    path: `/v2/${name}/manifests/${reference}`,
    ...(body === undefined ? {} : { method: 'PUT', headers: { 'Content-Type': MANIFEST }, body }),
  });
  const [early, none] = await ask(manifest(tag, manifestOf(both, wrong)), manifest(tag));
  lab.promise('incomplete', early.status === 400 && none.status === 404, {
    promised: 'a manifest that names a layer which is not there is refused with 400, and the tag is unknown',
    seen: `${seen(early)}; then GET: ${seen(none)}`,
    look: 'partsOf()',
  });
  const [first, second] = [manifestOf(both), manifestOf(both, digestOf(layer))];
  const [accepted, byTag, byDigest] = await ask(
    manifest(tag, first),
    manifest(tag),
    manifest(digestOf(first)),
  );
  lab.promise('manifest', accepted.status === 201 && byTag.body === first, {
    promised: 'PUT of a manifest answers 201, and GET gives the same bytes',
    seen: `${seen(accepted)}; then GET: ${seen(byTag)}`,
    look: 'a manifest is kept as it came: another space would give it another digest',
  });
  lab.promise('type', byTag.headers['content-type'] === MANIFEST, {
    promised: `it has the Content-Type with which it came: ${MANIFEST}`,
    seen: `Content-Type: ${byTag.headers['content-type']}`,
    look: 'the type of a link',
  });
  lab.promise('by-digest', byDigest.body === first, {
    promised: 'it can be fetched by its digest, too',
    seen: seen(byDigest),
    look: 'two names',
  });
  const [, moved, old] = await ask(manifest(tag, second), manifest(tag), manifest(digestOf(first)));
  lab.promise('moves', moved.body === second && old.body === first, {
    promised: `after another PUT the tag ${tag} leads to the new manifest, and the digest to the old one`,
    seen: `by tag: ${seen(moved)}; by digest: ${seen(old)}`,
    look: 'a tag can change, a digest cannot',
  });
  return { read: manifest(tag), newest: second };
}
