// What follows a change besides copies, builds with several contexts, and names of interfaces.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LONG, PATIENCE, watchedProject } from './support/watched-project.ts';

const { project, watch, interrupt, write, inWeb } = watchedProject();
const { file, compose, does, inspected, idOf } = project;

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
    await interrupt();
    expect((await inspected('demo-web-1')).State.Running).toBe(false);
    expect(await compose('up -d --watch')).toMatchObject({
      code: 1,
      err: expect.stringContaining('--watch'),
    });
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
