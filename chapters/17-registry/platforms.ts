// Makes one name for several kinds of machines: an index of images.
// Run: node chapters/17-registry/platforms.ts NAME ARCHITECTURE=IMAGE…
import { Mistake } from '../04-mounts/mistake.ts';
import { tagImage, tags, writeJson } from '../09-images/store.ts';
import { INDEX, type PlatformDescriptor } from './pull.ts';

const [name = '', ...words] = process.argv.slice(2);
const manifests = words.map((word): PlatformDescriptor => {
  const [architecture = '', image = ''] = word.split('=');
  const manifest = tags().get(image);
  if (manifest === undefined) throw new Mistake(`there is no image ${image}`);
  const { mediaType, digest, size } = manifest;
  return { mediaType, digest, size, platform: { os: 'linux', architecture } };
});
tagImage(name, writeJson(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests }));
