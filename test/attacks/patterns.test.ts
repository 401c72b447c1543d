// Patterns and variables that are made to take for ever: wildcards with more ways through a name than there is time,
// regular expressions of the same kind, values that double with each line. Whoever sends them gets an answer at once, and
// so do the others.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tarOf } from '../../mini-docker/images/testing/archives.ts';
import { newContext, ours, post } from '../support/building.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';

let daemon: TestDaemon;
let client: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  client = engineClient(daemon);
});
afterAll(() => daemon.stop());

/** A backtracking matcher needs 200 over 12 attempts. */
const NAME = 'a'.repeat(200);
const STARS = `${'*a'.repeat(12)}*b`;

const PATIENCE = 5000;

async function build(dockerfile: string): Promise<string> {
  const context = tarOf(
    { path: 'Dockerfile', content: `FROM scratch\n${dockerfile}` },
    { path: NAME, content: 'x' },
  );
  const start = Date.now();
  const { text } = await post(daemon, '/build?q=1', context);
  expect(Date.now() - start).toBeLessThan(PATIENCE);
  return text;
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are the shell's, not ours
test.each([
  ['COPY', `COPY ${STARS} /`, 'no source files'],
  ['COPY, with many that match', `COPY ${'*a'.repeat(100)}* /`, 'sha256:'],
  ['${x//pattern/}', `ENV x=${NAME.repeat(50)}\nENV y=\${x//${STARS}/z}`, 'sha256:'],
  ['${x#pattern}', `ENV x=${NAME.repeat(50)}\nENV y=\${x##${STARS}}`, 'sha256:'],
  ['${x%pattern}', `ENV x=${NAME.repeat(50)}\nENV y=\${x%%b${STARS}}`, 'sha256:'],
  ['a pattern without an end', 'COPY [a /', 'syntax error in pattern'],
])('a build with wildcards in %s has an end', async (_, dockerfile, answer) => {
  expect(await build(dockerfile)).toMatch(new RegExp(answer));
});

test.each([
  ['ENV', `ENV a=${NAME}\n${'ENV a=$a$a$a$a$a$a$a$a\n'.repeat(8)}`, 'stand for more than'],
  ['ARG', `ARG a=${NAME}\n${'ARG a=$a$a$a$a$a$a$a$a\n'.repeat(8)}`, 'stand for more than'],
  ['LABEL', `ENV a=${NAME.repeat(100)}\nLABEL b="${'$a'.repeat(5000)}"`, 'stand for more than'],
  [
    'many ARGs',
    `ARG a=${NAME.repeat(1000)}\n${Array.from({ length: 30 }, (_, i) => `ARG a${i}=$a`).join('\n')}`,
    'longer than',
  ],
  [
    'many ENVs',
    `ENV a=${NAME.repeat(1000)}\n${Array.from({ length: 30 }, (_, i) => `ENV a${i}=$a`).join('\n')}`,
    'larger than',
  ],
  ['nested defaults', `ENV a=${NAME.repeat(1000)}\nENV b=\${x:-${'$a'.repeat(10)}}`, 'stand for more than'],
])('values that grow by expansion in %s are limited', async (_, dockerfile, answer) => {
  expect(await build(dockerfile)).toContain(answer);
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are the shell's, not ours

test('filters take time proportional to the text', async () => {
  const id = await client.create(['true'], { name: NAME.slice(0, 60) });
  for (const [path, key, pattern] of [
    ['/containers/json', 'name', '^(a+)+$b'],
    ['/containers/json', 'name', '(a|a|aa)*c'],
    ['/images/json', 'reference', `busybox${STARS}`],
  ]) {
    const filters = encodeURIComponent(JSON.stringify({ [key!]: [pattern] }));
    const start = Date.now();
    expect((await client.ask('GET', `${path}?all=1&filters=${filters}`)).status).toBe(200);
    expect(Date.now() - start, pattern).toBeLessThan(PATIENCE);
  }
  const wrong = encodeURIComponent(JSON.stringify({ name: ['('] }));
  expect((await client.ask('GET', `/containers/json?filters=${wrong}`)).status).toBe(400);
  // Names that every JavaScript object has are no filters.
  for (const key of ['__proto__', 'constructor']) {
    const filters = encodeURIComponent(`{"${key}":["a"]}`);
    for (const path of ['/containers/json', '/images/json', '/networks', '/volumes'])
      expect((await client.ask('GET', `${path}?filters=${filters}`)).status, path).toBe(400);
    for (const path of ['/containers/prune', '/images/prune', '/networks/prune', '/volumes/prune'])
      expect((await client.ask('POST', `${path}?filters=${filters}`)).status, path).toBe(400);
  }
  // Events ignore filters that they do not know.
  expect((await client.ask('GET', '/events?filters={"__proto__":["a"]}&until=1')).status).toBe(200);
  await client.ask('DELETE', `/containers/${id}`);
});

test('.dockerignore takes the command no longer than its lines are long', async () => {
  using context = newContext({
    Dockerfile: 'FROM scratch\nCOPY . /\n',
    [NAME]: 'x',
    '.dockerignore': `${STARS}\n${'**/*a'.repeat(20)}b\n`,
  });
  const start = Date.now();
  expect(await ours(daemon, ['build', '-q', context.path])).toMatchObject({ code: 0 });
  expect(Date.now() - start).toBeLessThan(PATIENCE);
  context.write({ '.dockerignore': '[a\n' });
  const { code, stderr } = await ours(daemon, ['build', '-q', context.path]);
  expect(code).toBe(1);
  expect(stderr).toContain('.dockerignore:1: syntax error in pattern "[a"');
});
