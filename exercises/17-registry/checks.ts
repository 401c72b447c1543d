// The checks of exercise 17: a blob that arrives in pieces, and a registry for clients of three kinds.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';
import { repository } from '../../learn/repository.ts';
import type { Running } from '../../learn/sandbox/capture.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'fetch', title: 'A blob in pieces', points: 4, file: 'fetch.ts', check: checkFetch },
    {
      id: 'registry',
      title: 'A registry',
      points: 5,
      file: 'registry.ts',
      timeLimit: 30_000,
      check: checkRegistry,
    },
    {
      id: 'skopeo',
      title: 'A guest: skopeo',
      points: 2,
      file: 'registry.ts',
      needsProgram: 'skopeo',
      timeLimit: 30_000,
      check: checkSkopeo,
    },
    {
      id: 'mini-docker',
      title: 'Another guest: mini-docker',
      points: 2,
      file: 'registry.ts',
      needsGroups: true,
      needsEngine: true,
      timeLimit: 40_000,
      check: checkMiniDocker,
    },
  ],
};

const digestOf = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const freePort = ({ random }: Lab): number => random.integer(20_000, 30_000);

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
      while (taken < 64 << 20) {
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
  response.write(content.subarray(0, half), () => path === 'stalls' || response.destroy());
}).listen(port, '127.0.0.1', () => console.log('ready'));
`;

async function checkFetch(lab: Lab): Promise<void> {
  const { random } = lab;
  const port = freePort(lab);
  const [word, lines] = [random.word(), random.integer(200_000, 300_000)];
  const content = Array.from({ length: lines }, (_, n) => word + n).join(' ');
  const [digest, size, half] = [digestOf(content), content.length, content.length >> 1];
  const directory = `/tmp/${random.word()}`;
  await lab.command(['mkdir', directory]);
  const server = await lab.arrange(['node', '-e', SERVER, `${port}`, word, `${lines}`]);
  while (!server.stdout.includes('ready')) await sleep(20);

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
  let kept = await ofHalf();
  for (
    const deadline = Date.now() + 5000;
    kept === undefined && Date.now() < deadline;
    kept = await ofHalf()
  ) {
    await sleep(50);
  }
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
  while (!server.stdout.includes('taken')) await sleep(20);
  const taken = Number(/taken (\d+)/.exec(server.stdout)?.[1]);
  lab.promise('endless', endless.code === 1 && taken < size + (32 << 20), {
    promised: `from a server that never stops, it takes no more than it must know: ${size} bytes were announced`,
    seen: `it took ${taken} bytes or more, and exited with ${endless.code}`,
    look: 'count while they come',
  });
}

interface Step {
  method?: string;
  /** A path, or LOCATION for the one that the registry named last. */
  path: string;
  headers?: Record<string, string>;
  /** Added to the location. */
  digest?: string;
  body?: string;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const LOCATION = '';

/** Takes steps on stdin and makes one request after the other. The first one waits for the registry to listen. */
const PROBE = `
const steps = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const base = process.argv[1];
(async () => {
  let location = '';
  const answers = [];
  for (const { method = 'GET', path, headers, digest, body } of steps) {
    const url = new URL(path === '' ? location : path, base);
    if (digest !== undefined) url.searchParams.set('digest', digest);
    for (const deadline = Date.now() + 5000; ; await new Promise(done => setTimeout(done, 50))) {
      try {
        const response = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(3000) });
        const text = await response.text();
        location = response.headers.get('location') ?? location;
        answers.push({ status: response.status, headers: Object.fromEntries(response.headers), body: text });
        break;
      } catch (error) {
        if (error.cause?.code === 'ECONNREFUSED' && Date.now() < deadline) continue;
        answers.push({ status: 0, headers: {}, body: String(error.cause?.code ?? error) });
        break;
      }
    }
  }
  console.log(JSON.stringify(answers));
})();
`;

interface Registry {
  host: string;
  running: Running;
  /** The answers to requests made one after another. */
  ask<Steps extends Step[]>(...steps: Steps): Promise<{ [Key in keyof Steps]: Answer }>;
}

async function startRegistry(lab: Lab, port: number, directory: string): Promise<Registry> {
  const host = `127.0.0.1:${port}`;
  const running = await lab.start([`${port}`, directory]);
  const ask: Registry['ask'] = async (...steps) => {
    const asked = await lab.command(['node', '-e', PROBE, `http://${host}`], {
      input: JSON.stringify(steps),
    });
    return JSON.parse(asked.stdout);
  };
  const [ping] = await ask({ path: '/v2/' });
  lab.promise('ping', ping.status === 200, {
    promised: `GET /v2/ at ${host} answers 200: this is how clients find out that it is a registry`,
    seen: seen(ping),
    look: 'does it still run? It must not end, and must listen on 127.0.0.1',
  });
  return { host, running, ask };
}

function seen({ status, body }: Answer): string {
  if (status === 0) return `there was no answer: ${body}`;
  return `it answered ${status}${body === '' ? '' : ` ${quote(body)}`}`;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

async function checkRegistry(lab: Lab): Promise<void> {
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
    promised: `a blob of ${name} is not in ${other}, even if somebody knows its digest`,
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

  const tag = `t${random.integer(1, 99)}`;
  const manifestOf = (...digests: string[]): string =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: random.word(), digest: digestOf(one), size: one.length },
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
  const [first, second] = [manifestOf(both), manifestOf(both, digestOf(one))];
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

  running.kill();
  await running.ended;
  const restarted = await startRegistry(lab, port, directory);
  const [stays] = await restarted.ask(manifest(tag));
  lab.promise('stays', stays.body === second, {
    promised: 'after kill -9 and a new start everything is there',
    seen: seen(stays),
    look: 'what is in memory is gone: everything has to be in files',
  });
  await withBox(lab, host);
}

const BOX = `${repository}/chapters/17-registry/box.ts`;

/** Makes an image of random files. @returns its digest */
async function importImage(lab: Lab, image: string): Promise<string> {
  const made = await lab.command([
    'sh',
    '-ec',
    `mkdir -p /tmp/files; echo ${lab.random.word()} > /tmp/files/word
     head -c ${lab.random.integer(300_000, 900_000)} /dev/urandom > /tmp/files/noise
     tar -C /tmp/files -cf /tmp/files.tar .; exec node ${BOX} import /tmp/files.tar ${image}`,
  ]);
  if (made.code !== 0) throw new Error(`an image cannot be made: ${made.stderr}`);
  return made.stdout.trim();
}

async function withBox(lab: Lab, host: string): Promise<void> {
  const image = `${host}/${lab.random.word()}/${lab.random.word()}:${lab.random.word()}`;
  const digest = await importImage(lab, image);
  const pushed = await lab.command(['node', BOX, 'push', image]);
  await lab.command(['rm', '-r', '/tmp/box/images']);
  const pulled = await lab.command(['node', BOX, 'pull', image]);
  lab.promise('box', pushed.code === 0 && pulled.stdout.trimEnd().endsWith(digest), {
    promised: `box push and box pull carry an image there and back: ${digest}`,
    seen: `push: ${quote((pushed.stdout + pushed.stderr).trim())}; pull: ${quote((pulled.stdout + pulled.stderr).trim())}`,
    look: 'node chapters/17-registry/box.ts push …, by hand',
  });
}

async function checkSkopeo(lab: Lab): Promise<void> {
  const { random } = lab;
  const { host, ask } = await startRegistry(lab, freePort(lab), `/tmp/${random.word()}`);
  const [image, twin] = [
    `${host}/${random.word()}:${random.word()}`,
    `${host}/${random.word()}:${random.word()}`,
  ];
  const digest = await importImage(lab, 'here');
  const copy = async (check: string, promised: string, ...words: string[]): Promise<void> => {
    const insecure = ['--insecure-policy', 'copy', '--src-tls-verify=false', '--dest-tls-verify=false'];
    const ran = await lab.command(['skopeo', ...insecure, ...words]);
    lab.promise(check, ran.code === 0, {
      promised,
      seen: quote(/msg="(.*)"\s*$/.exec(ran.stderr)?.[1] ?? ran.stderr.trim()),
      look: `by hand: skopeo copy ${words.join(' ')}`,
    });
  };
  await copy('push', 'skopeo pushes an image', 'oci:/tmp/box/images:here', `docker://${image}`);
  await copy('pull', 'skopeo pulls it again', `docker://${image}`, 'oci:/tmp/back:here');
  const index = await lab.command(['cat', '/tmp/back/index.json']);
  lab.promise('same', index.stdout.includes(digest), {
    promised: `what comes back is what went out: ${digest}`,
    seen: quote(index.stdout),
    look: 'the bytes of the manifest',
  });
  const docker = ['--format', 'v2s2', `docker://${image}`, `docker://${twin}`];
  await copy('from-there-to-there', 'skopeo copies it to another repository, in Docker’s format', ...docker);
  const [, name, tag] = /^[^/]*\/(.*):(.*)$/.exec(twin)!;
  const [copied] = await ask({ path: `/v2/${name}/manifests/${tag}` });
  lab.promise('docker-format', copied.headers['content-type'] === DOCKER_MANIFEST, {
    promised: `${twin} has Docker's Content-Type, with which skopeo has pushed it: ${DOCKER_MANIFEST}`,
    seen: `Content-Type: ${copied.headers['content-type']}`,
    look: 'the Content-Type of a manifest, kept and given back',
  });
}

async function checkMiniDocker(lab: Lab): Promise<void> {
  const { random } = lab;
  const { host } = await startRegistry(lab, freePort(lab), `/tmp/${random.word()}`);
  const [image, word] = [`${host}/${random.word()}/${random.word()}:${random.word()}`, random.word()];
  const steps: [check: string, promised: string, script: string][] = [
    [
      'push',
      'mini-docker pushes an image',
      `mini-docker run --name made busybox sh -c 'echo ${word} > /word'
       mini-docker commit made ${image}; mini-docker rm made; mini-docker push ${image}`,
    ],
    [
      'pull',
      'mini-docker pulls it again, and runs it',
      `mini-docker rmi ${image}; mini-docker pull ${image}; mini-docker run --rm ${image} cat /word`,
    ],
  ];
  for (const [check, promised, script] of steps) {
    const ran = await lab.command(['sh', '-ec', `PATH=${repository}/bin:$PATH\n${script}`], {
      timeout: 25_000,
    });
    const output = (ran.stdout + ran.stderr).trim();
    lab.promise(check, ran.code === 0 && (check === 'push' || output.endsWith(word)), {
      promised,
      seen: quote(output.split('\n').slice(-3).join('\n')),
      look: `by hand: mini-docker ${check} ${image}`,
    });
  }
}
