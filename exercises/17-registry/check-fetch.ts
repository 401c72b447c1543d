// Serves a blob in several ways, and looks at what the learner's program makes of it.
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';
import { digestOf, freePort } from './check-requests.ts';

/** Serves one blob in several ways, and prints `PATH RANGE` for each request, and how much of an endless one was taken. */
const SERVER = `
const [port, word, lines] = process.argv.slice(1);
const content = Buffer.from(Array.from({ length: lines }, (_, n) => word + n).join(' '));
const half = content.length >> 1;
const broken = new Set();
require('http').createServer((request, response) => {
  const path = request.url.slice(1);
  const start = Number(/^bytes=(\\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  console.log(path, start);
  if (path === 'endless') {
    let taken = 0;
    const more = () => {
      while (taken < 32 << 20) {
        taken += 1 << 16;
        if (!response.write(Buffer.alloc(1 << 16))) return response.once('drain', more);
      }
      response.end();
    };
    response.on('close', () => console.log('taken', taken));
    return more();
  }
  if (path === 'changed') return response.end(Buffer.from(content.map((byte, n) => n === 7 ? byte ^ 1 : byte)));
  response.setHeader('Content-Length', content.length);
  if (start > 0 && path === 'stalls') {
    response.setHeader('Content-Length', content.length - start);
    response.setHeader('Content-Range', 'bytes ' + start + '-' + (content.length - 1) + '/' + content.length);
    return response.writeHead(206).end(content.subarray(start));
  }
  if (path === 'whole' || broken.has(path)) return response.end(content);
  broken.add(path);
  response.write(content.subarray(0, half), () => path === 'stalls' ? console.log('sent') : response.destroy());
}).listen(port, '127.0.0.1', () => console.log('ready'));
`;

export async function checkFetch(lab: Lab): Promise<void> {
  const { random } = lab;
  const port = freePort(lab);
  const [word, lines] = [random.word(), random.integer(50_000, 80_000)];
  const content = Array.from({ length: lines }, (_, n) => word + n).join(' ');
  const [digest, size, half] = [digestOf(content), content.length, content.length >> 1];
  const directory = `/tmp/${random.word()}`;
  await lab.command(['mkdir', directory]);
  const server = await lab.arrange(['node', '-e', SERVER, `${port}`, word, `${lines}`]);
  await lab.until(() => server.stdout.includes('ready'));

  const args = (path: string): string[] => [
    `http://127.0.0.1:${port}/${path}`,
    digest,
    `${size}`,
    `${directory}/${path}`,
  ];
  const hasContent = async (path: string): Promise<boolean> =>
    (await lab.command(['sha256sum', `${directory}/${path}`])).stdout.startsWith(
      digest.slice('sha256:'.length),
    );
  const files = async (): Promise<string[]> =>
    (await lab.command(['sh', '-c', `cd ${directory}; wc -c * | grep -v total`])).stdout
      .split('\n')
      .map(line => line.trim())
      .filter(Boolean);

  const whole = await lab.run(args('whole'));
  lab.promise('whole', whole.code === 0 && (await hasContent('whole')), {
    promised: `a blob of ${size} bytes that arrives at once lies in FILE afterwards`,
    seen: ending(whole),
    look: 'the loop over response.body',
  });

  const stalled = await lab.start(args('stalls'));
  const ofHalf = async (): Promise<string | undefined> =>
    (await files()).find(line => line.startsWith(`${half} `));
  let over = false;
  void stalled.ended.then(() => {
    over = true;
  });
  await lab.until(() => server.stdout.includes('sent') || over);
  let kept: string | undefined;
  await lab.until(async () => {
    kept = await ofHalf();
    return kept !== undefined;
  }, 4000);
  stalled.kill();
  await stalled.ended;
  lab.promise('keeps', kept !== undefined, {
    promised: `when ${half} of ${size} bytes have arrived, they are in a file, so that kill -9 does not lose them`,
    seen: `the directory has ${quote((await files()).join(', '))}`,
    look: 'write each piece when it comes',
  });
  lab.promise('not-yet', !kept!.endsWith(' stalls'), {
    promised: 'half a blob does not have the name FILE',
    seen: kept!,
    look: 'rename comes last',
  });
  const resumed = await lab.run(args('stalls'));
  lab.promise('resumes', server.stdout.includes(`stalls ${half}\n`), {
    promised: `the next run asks for the missing bytes only: Range: bytes=${half}-`,
    seen: `it asked for the bytes from ${/.*stalls (\d+)/s.exec(server.stdout)?.[1]} on`,
    look: 'the size of what is here, and the header Range',
  });
  lab.promise('complete', resumed.code === 0 && (await hasContent('stalls')), {
    promised: 'both halves together are the blob',
    seen: ending(resumed),
    look: 'the digest is that of all bytes, also of those of the first run',
  });

  const cut = await lab.run(args('no-ranges'));
  lab.promise('incomplete', cut.code === 1, {
    promised: 'when the connection breaks in the middle, it ends with 1',
    seen: ending(cut),
    look: 'giveUp()',
  });
  const again = await lab.run(args('no-ranges'));
  lab.promise('no-ranges', again.code === 0 && (await hasContent('no-ranges')), {
    promised:
      'a server that knows no ranges answers 200 and sends everything again; FILE is right all the same',
    seen: ending(again),
    look: 'response.status: 206, or 200?',
  });

  const before = await files();
  const changed = await lab.run(args('changed'));
  const left = (await files()).filter(line => !before.includes(line));
  lab.promise('refuses', changed.code === 1 && !left.some(line => line.endsWith(' changed')), {
    promised: 'when a single bit of the blob is another one, it ends with 1, and there is no FILE',
    seen: left.length > 0 ? `${ending(changed)}, and there is ${left.join(', ')}` : ending(changed),
    look: 'the digest of what has arrived',
  });
  lab.promise('nothing-left', left.length === 0, {
    promised: 'wrong bytes are not kept: the next run must not build on them',
    seen: `there is ${left.join(', ')}`,
    look: 'refuse(), not giveUp()',
  });
  const endless = await lab.run(args('endless'));
  await lab.until(() => server.stdout.includes('taken'));
  const taken = Number(/taken (\d+)/.exec(server.stdout)?.[1]);
  lab.promise('endless', endless.code === 1 && taken < size + (16 << 20), {
    promised: `from a server that never stops, it takes no more than it must know: ${size} bytes were announced`,
    seen: `it took ${taken} bytes or more, and exited with ${endless.code}`,
    look: 'count while they come',
  });
}
