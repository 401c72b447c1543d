// `mini-docker compose`: contents that the file gives, hooks, and the commands for one container.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { composeProject } from './support/compose-project.ts';

const project = composeProject();
const { file, compose, does, inspected, idOf } = project;

const SLEEP = 'image: busybox, command: sleep 1000, stop_grace_period: 0s';

test('a secret and a config without a file are in the container before its program starts', {
  tags: 'further',
}, async () => {
  const text = (word: string) => `services:
  web:
    image: busybox
    command: sh -c 'ls -ln /run/secrets/token /etc/app.conf; cat /run/secrets/token /etc/app.conf; sleep 1000'
    stop_grace_period: 0s
    secrets: [token]
    configs: [{source: app, target: /etc/app.conf, uid: "7", gid: "8", mode: 0440}]
secrets: {token: {environment: TOKEN}}
configs: {app: {content: "word=${word}\\n"}}
`;
  file(text('one'));
  expect(await compose('up -d')).toMatchObject({
    code: 1,
    err: expect.stringContaining('environment variable "TOKEN" required by secret "token" is not set'),
  });
  writeFileSync(join(project.directory, '.env'), 'TOKEN=sesame\n');
  await does('up -d');
  const id = await idOf('demo-web-1');
  await expect
    .poll(() => does('logs --no-log-prefix web'), { timeout: 10_000 })
    .toContain('sesameword=one\n');
  const logged = await does('logs --no-log-prefix web');
  expect(logged).toMatch(/-r--r--r-- +1 0 +0 .*\/run\/secrets\/token/);
  expect(logged).toMatch(/-r--r----- +1 7 +8 .*\/etc\/app.conf/);
  await does('up -d');
  expect(await idOf('demo-web-1')).toBe(id);
  file(text('two'));
  await does('up -d');
  expect(await does('exec -T web cat /etc/app.conf')).toBe('word=two\n');
  file(text('two').replace(/\{content: .*\}/, '{external: true}}'));
  expect(await compose('up -d')).toMatchObject({
    code: 1,
    err: expect.stringContaining('unsupported external config app'),
  });
});

test('hooks run after the start and before the end, with their own user, directory and variables', async () => {
  const text = (code: number) => `services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    volumes: [.:/out]
    post_start:
      - {command: ["sh", "-c", "echo started $$(id -u) $$PWD $$WORD >>/out/log"], user: root, working_dir: /tmp, environment: [WORD=w]}
    pre_stop:
      - {command: ["sh", "-c", "echo stopping >>/out/log; exit ${code}"]}
`;
  const log = () => readFileSync(join(project.directory, 'log'), 'utf8');
  file(text(0));
  await does('up -d');
  expect(log()).toBe('started 0 /tmp w\n');
  await does('up -d');
  await does('restart');
  expect(log()).toBe('started 0 /tmp w\nstopping\nstarted 0 /tmp w\n');
  await does('stop');
  await does('start');
  await does('down');
  expect(log().match(/stopping/g)).toHaveLength(3);
  file(text(3));
  await does('up -d');
  expect(await compose('stop')).toMatchObject({
    code: 1,
    err: expect.stringContaining('exited with status 3'),
  });
  file(text(0));
});

test('attach, commit, export, stats, scale and volumes take services', { tags: 'further' }, async () => {
  file(`services:
  web: {image: busybox, command: "sh -c 'while sleep 0.1; do echo line; done'", stop_grace_period: 0s, volumes: ["data:/data"]}
  db: {${SLEEP}, volumes: ["rows:/rows"]}
volumes: {data: , rows: }
`);
  await does('up -d');
  await does('scale web=2');
  expect(await does('ps -q web')).toMatch(/^\w+\n\w+\n$/);
  expect(await does('volumes -q')).toBe('demo_data\ndemo_rows\n');
  expect(await does('volumes -q db')).toBe('demo_rows\n');
  await does('exec -T --index 2 web touch /here');
  await does('commit --index 2 web demo-web:saved');
  expect(await project.ours.does('run --rm demo-web:saved ls /here')).toBe('/here\n');
  await project.ours.does('rmi demo-web:saved');
  const archive = join(project.directory, 'web.tar');
  await does(['export', '-o', archive, '--index', '2', 'web']);
  expect(readFileSync(archive).includes('here')).toBe(true);
  expect(
    (await does(['stats', '--no-stream', '--format', '{{.Name}}', 'web'])).trim().split('\n').sort(),
  ).toEqual(['demo-web-1', 'demo-web-2']);
  const attached = compose('attach --no-stdin --sig-proxy=false --index 1 web');
  const events = () => project.ours.does('events --since 1 --until 0s --filter event=attach');
  await expect.poll(events, { timeout: 10_000 }).toContain('demo-web-1');
  await does('kill');
  expect(await attached).toMatchObject({ code: 137 });
  expect((await inspected('demo-web-1')).State.Running).toBe(false);
});

test('up shows the chosen services, and ends with the first that fails', async () => {
  file(`services:
  loud: {image: busybox, command: echo loud}
  silent: {image: busybox, command: "sh -c 'echo silent; sleep 1000'", stop_grace_period: 0s}
  fails: {image: busybox, command: "sh -c 'echo failing; exit 6'", depends_on: [silent, loud]}
volumes: {unused: }
`);
  const { code, out } = await compose('up --no-attach silent --timestamps --abort-on-container-failure');
  expect(code).toBe(6);
  expect(out).toMatch(/loud-1 +\| \d{4}-\d\d-\d\dT\S+ loud\n/);
  expect(out).not.toMatch(/\| \S+ silent/);
  expect(await does('ps --filter status=exited -a --services --orphans=false')).toBe('fails\nloud\nsilent\n');
  expect(await does('--ansi always logs loud')).toContain('\x1b[36mloud-1  | \x1b[0mloud\n');
  const { err } = await compose('--progress quiet --all-resources up -d silent');
  expect(err).toBe('');
  expect(await does('volumes -q')).toBe('demo_unused\n');
});

test('run takes variables from a file, and rights', async () => {
  file('services: {job: {image: busybox}}\n');
  writeFileSync(join(project.directory, 'variables'), 'A=1\n');
  const variables = join(project.directory, 'variables');
  const script = 'echo $A; grep CapEff /proc/self/status';
  const flags = ['--rm', '-T', '--env-from-file', variables, '--cap-drop', 'ALL', '--cap-add', 'CHOWN'];
  expect(await does(['run', ...flags, 'job', 'sh', '-c', script])).toBe('1\nCapEff:\t0000000000000001\n');
});

test('--dry-run says what would be done, to new and to existing containers, and changes nothing', {
  tags: 'further',
  timeout: 120_000,
}, async () => {
  const text = (word: string) => `services:
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, environment: {WORD: ${word}}, depends_on: {db: {condition: service_healthy}}}
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s, healthcheck: {test: "false"}, scale: 2, volumes: ["data:/data"]}
  none: {image: no-such-image, command: "true"}
volumes: {data: }
`;
  file(text('one'));
  const created = await compose('--dry-run up');
  expect(created.code).toBe(0);
  for (const each of ['Network demo_default  Creat', 'Volume demo_data  Creat', 'Image no-such-image  Pull'])
    expect(created.err).toContain(` DRY-RUN MODE -  ${each}ing\n DRY-RUN MODE -  ${each}ed\n`);
  for (const each of ['demo-db-2  Healthy', 'demo-web-1  Started'])
    expect(created.err).toContain(` DRY-RUN MODE -  Container ${each}\n`);
  const names = async () => (await project.listed()).map(({ Names, State }) => `${Names[0]} ${State}`).sort();
  expect(await names()).toEqual([]);
  expect(await project.engine.json('GET', `/networks?${project.filters()}`)).toEqual([]);

  await does('up -d --no-deps web');
  const id = await idOf('demo-web-1');
  file(text('two'));
  const changed = await compose('--dry-run up -d --no-deps web');
  expect(changed.err).toContain(
    'Container demo-web-1  Recreated\n DRY-RUN MODE -  Container demo-web-1  Starting',
  );
  for (const command of ['stop', 'kill', 'restart', 'down -v', 'rm -fs'])
    expect((await compose(`--dry-run ${command}`)).err).toContain('DRY-RUN MODE -  Container demo-web-1  ');
  expect(await names()).toEqual(['/demo-web-1 running']);
  expect(await idOf('demo-web-1')).toBe(id);
  expect(await compose('--dry-run run web true')).toMatchObject({ code: 1 });
});

test('config writes what can be read again, to a file too', async () => {
  const image = 'image: busybox, command: ["echo", "$$HOME"]';
  file(`services: {web: {${image}, networks: [front]}}\nnetworks: {front: , unused: }\n`);
  for (const format of ['json', 'yaml']) {
    const path = join(project.directory, `resolved.${format}`);
    expect(await does(['config', '--format', format, '-o', path])).toBe('');
    const again = await does(['-f', path, 'config', '--format', 'json']);
    expect(JSON.parse(again).services.web.command).toEqual(['echo', '$$HOME']);
  }
  expect(await does('config --networks')).toBe('front\nunused\n');
}, 120_000);
