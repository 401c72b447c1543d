// What the programs of exercise 9 must do for digests and layouts.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'chain', title: 'The names of chains', points: 3, file: 'chain.ts', check: checkChain },
    {
      id: 'verify',
      title: 'A layout that is as it claims',
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
    promised: `the lowest layer is called by its diffID: ${chainIds[0]}`,
    seen: ending(told),
    look: 'there is nothing below it that could be part of its name',
  });
  lab.promise('others', lines.join() === chainIds.join(), {
    promised: `the second is called ${chainIds[1]}, and so on for ${diffIds.length} layers`,
    seen: ending(told),
    look: 'the text that is digested: chainID, one blank, diffID; both with their sha256:',
  });
}

interface Layout {
  files: Map<string, Buffer>;
  manifest: string;
  config: string;
  /** Digests. */
  layers: string[];
}

/** An image of some layers. @param lie where its configuration has a wrong diffID */
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
    promised: 'of a layout in which everything is right it says ok, and ends with 0',
    seen: ending(good),
    look: 'which digest belongs to what: a blob has that of its bytes, a diffID is that of the unpacked ones',
  });
  const damagedLayer = makeLayout(lab);
  const victim = lab.random.pick(damagedLayer.layers);
  // The time in the head of a gzip file: what is in it stays the same, and so does its size. RFC 1952
  damagedLayer.files.get(`blobs/sha256/${victim.slice('sha256:'.length)}`)![4]! ^= 0x55;
  const layer = await lab.run([await place(lab, damagedLayer)]);
  lab.promise('blob', layer.code === 1 && layer.stdout.trim() === victim, {
    promised: `it tells that the blob ${victim} is not what it is called, and ends with 1`,
    seen: ending(layer),
    look: 'is the content digested, or only its size compared, or only what is in it?',
  });
  for (const part of ['config', 'manifest'] as const) {
    const damaged = makeLayout(lab);
    const name = `blobs/sha256/${damaged[part].slice('sha256:'.length)}`;
    // A blank more, and JSON as good as before.
    damaged.files.set(name, Buffer.concat([damaged.files.get(name)!, Buffer.from(' ')]));
    const told = await lab.run([await place(lab, damaged)]);
    lab.promise('every-blob', told.code === 1 && told.stdout.trim() === damaged[part], {
      promised: `it tells that the ${part}, ${damaged[part]}, is not what it is called, and ends with 1`,
      seen: ending(told),
      look: 'layers are not the only blobs: manifest and configuration are blobs as well',
    });
  }
  const lie = lab.random.integer(0, 2);
  const lying = makeLayout(lab, lie);
  const diffId = await lab.run([await place(lab, lying)]);
  lab.promise('diff-id', diffId.code === 1 && diffId.stdout.trim() === lying.layers[lie], {
    promised: `it tells that the layer ${lying.layers[lie]} has not the diffID that the configuration promises`,
    seen: ending(diffId),
    look: 'config.rootfs.diff_ids, and what gunzip makes of the layer',
  });
}
