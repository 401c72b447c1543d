// The checks of exercise 9: digests and layouts.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'chain', title: 'The names of layers', points: 3, file: 'chain.ts', check: checkChain },
    {
      id: 'verify',
      title: 'Is the layout what it claims to be?',
      points: 5,
      file: 'verify.ts',
      check: checkVerify,
    },
  ],
};

function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function checkChain(lab: Lab): Promise<void> {
  const diffIds = Array.from({ length: lab.random.integer(3, 6) }, () => digestOf(lab.random.word()));
  const chainIds: string[] = [];
  for (const diffId of diffIds) {
    const below = chainIds.at(-1);
    chainIds.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  const told = await lab.run(diffIds);
  const lines = told.stdout.trim().split('\n');
  lab.promise('lowest', lines[0] === chainIds[0], {
    promised: `the lowest layer's chainID is its diffID, ${chainIds[0]}`,
    seen: ending(told),
    look: 'no layer lies below it, so nothing else is part of its name',
  });
  lab.promise('others', lines.join() === chainIds.join(), {
    promised: `the second layer's chainID is ${chainIds[1]}, and so on for ${diffIds.length} layers`,
    seen: ending(told),
    look: 'the digested text: chainID, one space, diffID; both with their sha256:',
  });
}

interface Layout {
  files: Map<string, Buffer>;
  manifest: string;
  config: string;
  /** Digests. */
  layers: string[];
}

/** An image of three layers. @param lie index of the layer for which the configuration gives a wrong diffID */
function makeLayout(lab: Lab, lie?: number): Layout {
  const files = new Map<string, Buffer>();
  const put = (bytes: Buffer): { digest: string; size: number } => {
    const digest = digestOf(bytes);
    files.set(`blobs/sha256/${digest.slice('sha256:'.length)}`, bytes);
    return { digest, size: bytes.length };
  };
  const tars = Array.from({ length: 3 }, () => Buffer.from(`${lab.random.word()} `.repeat(100)));
  const layers = tars.map(tar => put(gzipSync(tar)));
  const diffIds = tars.map((tar, at) => digestOf(at === lie ? `${tar} ` : tar));
  const config = put(Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: diffIds } })));
  const manifest = put(Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers })));
  files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [manifest] })));
  return {
    files,
    manifest: manifest.digest,
    config: config.digest,
    layers: layers.map(({ digest }) => digest),
  };
}

async function place(lab: Lab, { files }: Layout): Promise<string> {
  const directory = `/tmp/${lab.random.word()}`;
  const lines = [...files].map(
    ([name, bytes]) => `echo ${bytes.toString('base64')} | base64 -d > ${directory}/${name}`,
  );
  await lab.command(['sh', '-c', `mkdir -p ${directory}/blobs/sha256\n${lines.join('\n')}`]);
  return directory;
}

async function checkVerify(lab: Lab): Promise<void> {
  const good = await lab.run([await place(lab, makeLayout(lab))]);
  lab.promise('intact', good.code === 0 && good.stdout.trim() === 'ok', {
    promised: 'for a correct layout it prints ok and exits with 0',
    seen: ending(good),
    look: 'a blob is named by the digest of its bytes, a diffID is that of the uncompressed bytes',
  });
  const damagedLayer = makeLayout(lab);
  const victim = lab.random.pick(damagedLayer.layers);
  // The time in the header of a gzip file: the uncompressed content and the size stay the same. RFC 1952
  damagedLayer.files.get(`blobs/sha256/${victim.slice('sha256:'.length)}`)![4]! ^= 0x55;
  const layer = await lab.run([await place(lab, damagedLayer)]);
  lab.promise('blob', layer.code === 1 && layer.stdout.trim() === victim, {
    promised: `it reports that the content of blob ${victim} does not match its name, and exits with 1`,
    seen: ending(layer),
    look: 'do you digest the stored bytes, or only compare sizes, or only the uncompressed content?',
  });
  for (const part of ['config', 'manifest'] as const) {
    const damaged = makeLayout(lab);
    const name = `blobs/sha256/${damaged[part].slice('sha256:'.length)}`;
    // One more space: still valid JSON.
    damaged.files.set(name, Buffer.concat([damaged.files.get(name)!, Buffer.from(' ')]));
    const told = await lab.run([await place(lab, damaged)]);
    lab.promise('every-blob', told.code === 1 && told.stdout.trim() === damaged[part], {
      promised: `it reports that the content of the ${part}, ${damaged[part]}, does not match its name, and exits with 1`,
      seen: ending(told),
      look: 'layers are not the only blobs: the manifest and the configuration are blobs too',
    });
  }
  const lie = lab.random.integer(0, 2);
  const lying = makeLayout(lab, lie);
  const diffId = await lab.run([await place(lab, lying)]);
  lab.promise('diff-id', diffId.code === 1 && diffId.stdout.trim() === lying.layers[lie], {
    promised: `it reports that layer ${lying.layers[lie]} does not have its diffID, and exits with 1`,
    seen: ending(diffId),
    look: 'compare config.rootfs.diff_ids with the digest of the uncompressed layer',
  });
}
