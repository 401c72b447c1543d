// Clients that know nothing of the grader: the chapter's box, skopeo, mini-docker.
import { resolve } from 'node:path';
import { type Lab, quote } from '../../learn/grader/lab.ts';
import { freePort, startRegistry } from './check-requests.ts';

const COURSE = resolve(import.meta.dirname, '../..');
const BOX = `${COURSE}/chapters/17-registry/box.ts`;
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

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

export async function withBox(lab: Lab, host: string): Promise<void> {
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

export async function checkSkopeo(lab: Lab): Promise<void> {
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
      seen: ran.timedOut
        ? 'it waits for an answer'
        : quote(/msg="(.*)"\s*$/.exec(ran.stderr)?.[1] ?? ran.stderr.trim()),
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

export async function checkMiniDocker(lab: Lab): Promise<void> {
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
    const ran = await lab.command(['sh', '-ec', `PATH=${COURSE}/bin:$PATH\n${script}`], {
      timeout: 25_000,
    });
    const output = (ran.stdout + ran.stderr).trim();
    lab.promise(check, ran.code === 0 && (check === 'push' || output.endsWith(word)), {
      promised,
      seen: ran.timedOut ? 'it waits for an answer' : quote(output.split('\n').at(-1)!),
      look: `by hand: mini-docker ${check} ${image}`,
    });
  }
}
