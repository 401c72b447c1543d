import { does } from '../../../learn/capstone/container.ts';
import { kitTool } from '../../../learn/capstone/kit.ts';
import { startRegistry } from '../../../learn/capstone/registry.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  timeLimit: 90_000,
  async check(lab) {
    const { random } = lab;
    const [name, tag, word, layer] = [random.word(), random.word(), random.word(), `/tmp/${random.word()}`];
    const config = JSON.stringify({ Env: ['PATH=/bin'], Cmd: ['cat', `/${word}`] });
    const made = await lab.command([
      ...[
        'sh',
        '-ec',
        `mkdir -p ${layer}/top; echo ${word} > ${layer}/top/${word}; exec node --no-warnings "$@"`,
        'sh',
      ],
      ...[
        kitTool('make-image.ts'),
        `${layer}/image.tar`,
        name,
        config,
        '/capstone/images/busybox',
        `${layer}/top`,
      ],
    ]);
    if (made.code !== 0) throw new Error(`cannot make an image: ${made.stderr}`);
    const archive = [`${layer}/image.tar`, `${name}:${tag}`];
    const good = await startRegistry(lab, archive);
    const image = `${good.address}/${name}:${tag}`;
    await does(lab, 'pull', image);
    const ran = await lab.run(['run', image]);
    lab.promise('pulled', ran.stdout === `${word}\n`, {
      promised: `pull ${image} takes the image for this machine's architecture out of the index, and run ${image} runs it`,
      seen: `${ending(ran)}; ${ran.stderr.trim()}`,
      look: 'GET /v2/NAME/manifests/TAG with Accept; the index, the manifest, the config, the layers',
    });
    const layers = good.requests().filter(line => line.startsWith('GET') && line.includes('/blobs/')).length;
    await does(lab, 'pull', image);
    // The config may be asked for again, to see what the layers are.
    const again = good.requests().filter(line => line.startsWith('GET') && line.includes('/blobs/')).length;
    lab.promise('not-twice', again <= layers + 1, {
      promised: 'a second pull fetches no layer again',
      seen: `${again - layers} blobs were fetched again`,
      look: 'a blob is named by its content: what is there is right',
    });
    const refused = await fresh();
    lab.promise('verified', refused.code !== 0 && refused.run !== 0, {
      promised: 'a layer that does not match its digest is refused: pull fails, and there is no image',
      seen: refused.code === 0 ? 'pull exited with 0' : 'run finds the image',
      look: 'the digest of what has arrived, before it is used',
    });
    const missing = await lab.run(['pull', `${good.address}/${name}:${random.word()}`]);
    lab.promise('missing', missing.code !== 0 && missing.stderr.trim() !== '', {
      promised: 'a tag that the registry does not have gives a message, and a failure',
      seen: ending(missing),
      look: 'the status of the answer: 404',
    });

    async function fresh(): Promise<{ code: number; run: number }> {
      const unseen = `/tmp/${random.word()}`;
      await lab.command([
        ...[
          'sh',
          '-ec',
          `mkdir -p ${unseen}/top; echo ${random.word()} > ${unseen}/top/f; exec node --no-warnings "$@"`,
          'sh',
        ],
        ...[
          kitTool('make-image.ts'),
          `${unseen}/image.tar`,
          word,
          config,
          `${unseen}/top`,
          '/capstone/images/busybox',
        ],
      ]);
      const other = await startRegistry(lab, ['--lie', `${unseen}/image.tar`, `${word}:${tag}`]);
      const at = `${other.address}/${word}:${tag}`;
      const pulled = await lab.run(['pull', at], { timeout: 40_000 });
      const run = await lab.run(['run', at, 'true'], { timeout: 60_000 });
      return { code: pulled.code, run: run.code };
    }
  },
};
