import { does } from '../../../learn/capstone/container.ts';
import { startRegistry } from '../../../learn/capstone/registry.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  timeLimit: 60_000,
  async check(lab) {
    const { random } = lab;
    const [name, file, text] = [random.word(), random.word(), random.word()];
    const registry = await startRegistry(lab);
    const image = `${registry.address}/${name}:${random.word()}`;
    await does(lab, 'run', '--name', name, 'busybox', 'sh', '-c', `echo ${text} > /etc/${file}`);
    await does(lab, 'commit', name, name);
    await does(lab, 'tag', name, image);
    await does(lab, 'push', image);
    const tag = image.split(':').at(-1)!;
    const manifest = await lab.command(['cat', `${registry.directory}/manifests/${name}/${tag}`]);
    const { layers = [] } = JSON.parse(manifest.stdout || '{}') as { layers?: { digest: string }[] };
    lab.promise('manifest', layers.length >= 2, {
      promised: `after push ${image} the registry has a manifest ${tag}, with the layers of busybox and the new one`,
      seen: layers.length === 0 ? 'there is no manifest' : `it has ${layers.length} layers`,
      look: 'the blobs first, then PUT /v2/NAME/manifests/TAG',
    });
    const blob = `${registry.directory}/blobs/sha256/${layers.at(-1)!.digest.slice(7)}`;
    const content = await lab.command([
      'sh',
      '-c',
      `tar -xOf ${blob} ./etc/${file} || tar -xOf ${blob} etc/${file}`,
    ]);
    lab.promise('layer', content.stdout === `${text}\n`, {
      promised: `the last layer is a tar archive, or gzip of one, with etc/${file}`,
      seen: ending(content),
      look: 'POST …/blobs/uploads/, then PATCH and PUT with ?digest=, or PUT alone',
    });
    const before = registry.requests().length;
    await does(lab, 'push', image);
    const uploads = registry
      .requests()
      .slice(before)
      .filter(line => /^(?:PATCH|PUT).*\/blobs\//.test(line));
    lab.promise('not-twice', uploads.length === 0, {
      promised: 'a second push uploads no blob again',
      seen: `it uploaded ${uploads.length} blobs`,
      look: 'HEAD /v2/NAME/blobs/DIGEST says whether it is there',
    });
    const unknown = await lab.run(['push', `${registry.address}/${random.word()}:x`]);
    lab.promise('unknown', unknown.code !== 0, {
      promised: 'push of an image that does not exist fails',
      seen: ending(unknown),
      look: 'the record of names',
    });
  },
};
