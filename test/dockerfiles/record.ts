// Writes what dockerd makes of these Dockerfiles, for test/dockerfiles.test.ts to compare with. Run it with DOCKER_HOST at
// a dockerd that has nothing to lose: node test/dockerfiles/record.ts
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { makeEmbeddedImage } from '../../mini-docker/images/embedded.ts';
import { answerOf, buildBases, expectedPath, projects } from '../support/dockerfile-answers.ts';

const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');

/** The same busybox as ours. */
async function importBusybox(): Promise<void> {
  const { layer, config } = makeEmbeddedImage();
  const changes = [`CMD ${JSON.stringify(config.config!.Cmd)}`, `ENV ${config.config!.Env![0]}`];
  const query = changes.map(each => `&changes=${encodeURIComponent(each)}`).join('');
  const path = `/images/create?fromSrc=-&repo=busybox&tag=latest${query}`;
  await new Promise<void>((done, failed) => {
    const asked = request({ socketPath: socket, method: 'POST', path, agent: false }, reply => {
      reply.resume().on('end', done);
    });
    asked.on('error', failed).end(layer);
  });
}

await importBusybox();
await buildBases({ socket });
for (const name of projects()) {
  writeFileSync(expectedPath(name), await answerOf({ socket }, name));
  console.log(name);
}
