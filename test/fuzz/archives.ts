// Archives: layers, images, contexts, and what `cp` brings. Entries of every kind under every kind of name, then damaged.
import { encodeEntry } from '../../mini-docker/formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding, type TarType } from '../../mini-docker/formats/tar/entry.ts';
import { checkAnswer, daemonCases, type Fuzzer } from './fuzzer.ts';
import { damaged, type Random } from './random.ts';

const TYPES: TarType[] = ['file', 'directory', 'symlink', 'hardlink', 'fifo', 'character', 'block'];
const PARTS = [
  'a',
  'b',
  'etc',
  '..',
  '.',
  '',
  '.wh.a',
  '.wh..wh..opq',
  '.wh.',
  'x'.repeat(255),
  'x'.repeat(256),
  '\udcff\udc80',
  'é',
  '\n',
  'manifest.json',
  'Dockerfile',
];

const path = (random: Random): string =>
  Array.from({ length: 1 + random.integer(random.chance(0.05) ? 60 : 4) }, () => random.pick(PARTS)).join(
    '/',
  );

export function archive(random: Random): Buffer {
  const pieces: Buffer[] = [];
  const used: string[] = [];
  for (let count = random.integer(12); count >= 0; count--) {
    const name = used.length > 0 && random.chance(0.2) ? random.pick(used) : path(random);
    used.push(name);
    const type = random.pick(TYPES);
    const content = type === 'file' ? random.bytes(random.integer(300)) : Buffer.alloc(0);
    const target = random.chance(0.5) ? random.pick(used) : path(random);
    try {
      pieces.push(
        Buffer.from(
          encodeEntry({
            path: name,
            type,
            mode: random.integer(0o10000),
            uid: random.pick([0, 1, 65534, 2 ** 31, 2 ** 32 - 1]),
            gid: random.pick([0, 1000, 2 ** 32 - 2]),
            size: content.length,
            mtime: random.pick([0n, -1n, 1n << 62n, 1_600_000_000_000_000_000n]),
            ...(type === 'symlink' || type === 'hardlink' ? { linkname: target } : {}),
            ...(type === 'character' || type === 'block'
              ? { major: random.integer(4096), minor: random.pick([0, 3, 2 ** 20 - 1]) }
              : {}),
            ...(random.chance(0.2)
              ? {
                  xattrs: new Map([
                    [
                      random.pick(['user.x', 'security.capability', 'trusted.overlay.opaque']),
                      random.bytes(8),
                    ],
                  ]),
                }
              : {}),
          }),
        ),
        content,
        Buffer.alloc(padding(content.length)),
      );
    } catch {
      // Ours writes no such entry.
    }
  }
  const whole = Buffer.concat([...pieces, END_OF_ARCHIVE]);
  return random.chance(0.5) ? whole : damaged(whole, random);
}

export const fuzzArchives: Fuzzer = options => {
  let container = '';
  return daemonCases(options, {
    async prepare({ client }) {
      container = await client.create(['true'], { name: 'target' });
    },
    async one({ random, send, finding }) {
      const bytes = archive(random);
      const target = random.pick([
        'POST /images/create?fromSrc=-&repo=fuzz',
        'POST /images/load',
        `PUT /containers/${container}/archive?path=/`,
        `PUT /containers/${container}/archive?path=/a&noOverwriteDirNonDir=1`,
        'POST /build?q=1',
      ]);
      const [method = '', url = ''] = target.split(' ');
      const answer = await send(method, url, bytes);
      if (answer !== undefined) checkAnswer(answer, target, finding);
      await send('DELETE', '/images/fuzz?force=1');
    },
  });
};
