import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hexOf } from '../formats/oci/digest.ts';
import { openImageStore } from './store.ts';
import { chunks, tarOf, temporaryDirectory, textOf } from './testing/archives.ts';

const importInto = async (root: string) => {
  const store = await openImageStore({ root });
  const source = chunks(tarOf({ path: 'hello', content: 'world' }));
  return { store, image: await store.import({ source, reference: 'flat:1', message: '', config: {} }) };
};

/** The notes of an earlier boot, for these digests. */
function unsynced(root: string, digests: readonly string[]): void {
  const boot = join(root, 'arrivals', 'an-earlier-boot');
  mkdirSync(boot);
  for (const each of digests) writeFileSync(join(boot, hexOf(each)), '');
}

test('what arrived is noted until it is synced', async () => {
  using box = temporaryDirectory();
  await importInto(box.path);
  const notes = () =>
    readdirSync(join(box.path, 'arrivals')).flatMap(each => readdirSync(join(box.path, 'arrivals', each)));
  expect(notes().length).toBeGreaterThan(2);
  await expect.poll(notes).toEqual([]);
});

test('a layer whose files a power cut emptied is unpacked again', async () => {
  using box = temporaryDirectory();
  const { store, image } = await importInto(box.path);
  const [layer] = await store.lowerdirs(image);
  truncateSync(join(layer!, 'hello'));
  unsynced(box.path, image.config.rootfs.diff_ids);

  const next = await openImageStore({ root: box.path });
  expect(textOf((await next.lowerdirs(await next.get('flat:1')))[0]!, 'hello')).toBe('world');
});

test('an image whose layer is lost to a power cut is gone, and others stay', async () => {
  using box = temporaryDirectory();
  const { image } = await importInto(box.path);
  const [diffId] = image.config.rootfs.diff_ids;
  const blob = join(box.path, 'oci/blobs/sha256', hexOf(diffId!));
  truncateSync(blob, 100);
  unsynced(box.path, [diffId!]);

  const told: string[] = [];
  const next = await openImageStore({ root: box.path, tell: trouble => told.push(trouble) });
  expect((await next.list()).flatMap(each => each.repoTags)).toEqual(['busybox:latest']);
  expect(told.join()).toContain('flat:1 is gone: the machine went down before it was on the disk');
  expect(existsSync(blob)).toBe(false);
});

test('what a killed daemon was bringing is collected', async () => {
  using box = temporaryDirectory();
  await importInto(box.path);
  const blobs = () => readdirSync(join(box.path, 'oci/blobs/sha256')).length;
  const before = blobs();
  const stray = 'sha256:'.padEnd(71, 'a');
  writeFileSync(join(box.path, 'oci/blobs/sha256', hexOf(stray)), '');
  unsynced(box.path, [stray]);

  await (await openImageStore({ root: box.path })).collectInterrupted();
  expect(blobs()).toBe(before);
});
