// `mini-docker compose`: files that are followed while someone works on them, builds with several contexts, and names of
// interfaces.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { composeProject } from './support/compose-project.ts';
import { MAIN, NODE } from './support/daemon.ts';

const project = composeProject();
const { file, compose, does, inspected, idOf } = project;
const PATIENCE = { timeout: 60_000 };
/** Milliseconds: on a busy machine each of its many commands takes seconds. */
const LONG = 120_000;

let watching: ChildProcess | undefined;
afterEach(async () => {
  if (watching === undefined) return;
  watching.kill('SIGINT');
  if (watching.exitCode === null && watching.signalCode === null) await once(watching, 'exit');
  watching = undefined;
});

/** Starts `compose watch`, and resolves when it watches. */
async function watch(...command: string[]): Promise<{ output(): string }> {
  const args = ['compose', '-p', 'demo', '--project-directory', project.directory, ...command];
  const child = spawn(NODE, [MAIN, ...args], {
    env: { ...process.env, DOCKER_HOST: project.daemon.host },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  watching = child;
  let said = '';
  let out = '';
  child.stdout!.on('data', chunk => (out += chunk));
  child.stderr!.on('data', chunk => (said += chunk));
  await expect.poll(() => said, PATIENCE).toContain(' Watch web');
  return { output: () => out };
}

const write = (path: string, text: string): void => writeFileSync(join(project.directory, path), text);
const inWeb = (command: string) => compose(['exec', '-T', 'web', 'sh', '-c', command]);

test(
  'changed files come into the running container, removed ones go, and a command follows them',
  async () => {
    for (const each of ['src/deep', 'src/node_modules', 'etc'])
      mkdirSync(join(project.directory, each), { recursive: true });
    write('src/before', 'before');
    write('src/node_modules/lib', 'lib');
    write('etc/app.conf', 'one');
    file(`services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    develop:
      watch:
        - {path: ./src, action: sync, target: /app, ignore: [node_modules/], initial_sync: true}
        - {path: ./etc/app.conf, action: sync+exec, target: /etc/app.conf, exec: {command: [sh, -c, "cat /etc/app.conf >>/told"]}}
`);
    await watch('watch');
    const id = await idOf('demo-web-1');
    await expect.poll(async () => (await inWeb('cat /app/before')).out, PATIENCE).toBe('before');
    write('src/deep/new', 'new');
    write('src/node_modules/lib', 'changed');
    await expect.poll(async () => (await inWeb('cat /app/deep/new')).out, PATIENCE).toBe('new');
    mkdirSync(join(project.directory, 'src/made/now'), { recursive: true });
    write('src/made/now/file', 'made');
    await expect.poll(async () => (await inWeb('cat /app/made/now/file')).out, PATIENCE).toBe('made');
    rmSync(join(project.directory, 'src/before'));
    await expect.poll(async () => (await inWeb('ls /app')).out, PATIENCE).toBe('deep\nmade\n');
    write('etc/app.conf', 'two');
    await expect.poll(async () => (await inWeb('cat /told')).out, PATIENCE).toBe('two');
    expect(await idOf('demo-web-1')).toBe(id);
  },
  LONG,
);

test(
  'a change restarts the container, or builds the image anew',
  async () => {
    mkdirSync(join(project.directory, 'src'));
    write('src/page', 'one');
    write('settings', 'one');
    write('Dockerfile', 'FROM busybox\nCOPY src /src\nCMD ["sleep", "1000"]\n');
    file(`services:
  web:
    build: .
    stop_grace_period: 0s
    develop:
      watch:
        - {path: ./src, action: rebuild}
        - {path: ./settings, action: restart}
`);
    await watch('watch');
    const { Id, State } = await inspected('demo-web-1');
    write('settings', 'two');
    await expect
      .poll(async () => (await inspected('demo-web-1')).State.StartedAt, PATIENCE)
      .not.toBe(State.StartedAt);
    expect(await idOf('demo-web-1')).toBe(Id);
    write('src/page', 'two');
    await expect.poll(async () => (await inWeb('cat /src/page')).out, PATIENCE).toBe('two');
    expect(await idOf('demo-web-1')).not.toBe(Id);
  },
  LONG,
);

test(
  'up --watch shows the output of the new containers too, and Ctrl-C stops them',
  async () => {
    write('page', 'one\n');
    write('Dockerfile', 'FROM busybox\nCOPY page /page\nCMD ["sh", "-c", "cat /page; sleep 1000"]\n');
    file(`services:
  web: {build: ., stop_grace_period: 0s, develop: {watch: [{path: ./page, action: rebuild}]}}
`);
    const up = await watch('up', '--build', '--watch');
    await expect.poll(() => up.output(), PATIENCE).toContain('web-1  | one');
    write('page', 'two\n');
    await expect.poll(() => up.output(), PATIENCE).toContain('web-1  | two');
    watching!.kill('SIGINT');
    await once(watching!, 'exit');
    expect((await inspected('demo-web-1')).State.Running).toBe(false);
    expect(await compose('up -d --watch')).toMatchObject({
      code: 1,
      err: expect.stringContaining('--watch'),
    });
  },
  LONG,
);

test(
  'what cannot be watched is said before anything starts',
  async () => {
    const web = (trigger: string) =>
      file(`services: {web: {image: busybox, command: sleep 1000, develop: {watch: [${trigger}]}}}\n`);
    for (const [trigger, message] of [
      ['{path: ./none, action: sync, target: /x}', 'services.web.develop.watch[0]: there is no'],
      ['{path: ., action: rebuild}', 'the service has no build'],
      ['{path: ., action: sync}', 'compose.yaml:1:73: services.web.develop.watch[0] needs a target'],
      ['{path: ., action: synk}', 'did you mean sync?'],
      ['{path: ., action: sync+exec, target: /x}', 'needs exec with a command'],
      ['', 'none of the selected services is configured for watch'],
    ] as const) {
      web(trigger);
      expect(await compose('watch')).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    }
  },
  LONG,
);

test(
  'a build takes files and images from further contexts, and from another service',
  async () => {
    for (const each of ['app', 'shared/sub']) mkdirSync(join(project.directory, each), { recursive: true });
    write('shared/sub/file', 'shared');
    write('shared/secret', 'secret');
    write('shared/.dockerignore', 'secret\n');
    write('app/own', 'own');
    const from = `FROM base
COPY --from=shared . /shared
COPY --from=tool /bin/busybox /tool
RUN --mount=from=shared,target=/mnt cat /mnt/sub/file >/mounted
COPY . /own
CMD ["sh", "-c", "cat /base /shared/sub/file /mounted; ls -A /shared /own"]
`;
    write('app/Dockerfile', from);
    const text = (contexts: string) => `services:
  web:
    build: {context: ./app, additional_contexts: ${contexts}}
    depends_on: [base]
  base:
    build: {context: ., dockerfile_inline: "FROM busybox\\nRUN echo base >/base\\n"}
    command: "true"
`;
    file(text('{shared: ./shared, tool: "docker-image://busybox", base: "service:base"}'));
    await does('build web');
    expect(await does('run --rm --no-deps -T web')).toBe(
      'base\nsharedshared/own:\nDockerfile\nown\n\n/shared:\n.dockerignore\nsub\n',
    );
    write('shared/sub/file', 'changed');
    await does('build web');
    expect(await does('run --rm --no-deps -T web')).toContain('changedchanged');
    file(text('{shared: ./shared, tool: "https://example.org/x.git", base: "service:other"}'));
    expect(await compose('build web')).toMatchObject({
      code: 1,
      err: expect.stringContaining('names the undefined service "other"'),
    });
    mkdirSync(join(project.directory, 'empty'));
    write('app/Dockerfile', 'FROM busybox\nCOPY --from=nothing . /nothing\n');
    file(text('[nothing=./empty]'));
    await does('build web');
    write('app/Dockerfile', 'FROM shared\n');
    file(text('[shared=./shared]'));
    expect(await compose('build web')).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'the context shared is a directory: use FROM scratch and COPY --from=shared',
      ),
    });
  },
  LONG,
);

test(
  'a network has the interface and the default route that the file gives it',
  async () => {
    const text = (name: string) => `services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    networks:
      front: {interface_name: ${name}}
      back: {gw_priority: 10}
networks: {front: , back: {ipam: {config: [{subnet: 10.123.0.0/24}]}}}
`;
    file(text('front0'));
    await does('up -d');
    const links = (await inWeb('ls /sys/class/net')).out.trim().split('\n');
    expect(links.sort()).toEqual(['eth0', 'front0', 'lo']);
    expect((await inWeb('ip route')).out).toContain('default via 10.123.0.1 dev eth0');
    for (const [name, message] of [
      ['a/b', 'invalid interface name "a/b"'],
      ['sixteen-letters-', 'invalid interface name'],
      ['lo', 'invalid interface name "lo"'],
      ['eth0', 'has an interface eth0 on another network'],
    ] as const) {
      file(text(name));
      expect(await compose('up -d')).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    }
  },
  LONG,
);
