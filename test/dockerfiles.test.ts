// Dockerfiles in the style of well-known projects, on stand-ins for their base images: the same configuration and the same
// tree as dockerd's classic builder makes of them. dockerd's results are in dockerfiles/expected, written by dockerfiles/record.ts.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { answerOf, buildBases, expectedPath, projects } from './support/dockerfile-answers.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
  await buildBases(daemon);
}, 120_000);
afterAll(() => daemon.stop());

test.each(projects())('%s: the configuration and the tree are those that dockerd makes', async name => {
  await expect(await answerOf(daemon, name)).toMatchFileSnapshot(expectedPath(name));
});
