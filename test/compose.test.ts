// `mini-docker compose` with a daemon: what is made, what is left alone, what is cleaned up.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { NetworkResource } from '../mini-docker/formats/engine-api/networks.ts';
import type { VolumeList } from '../mini-docker/formats/engine-api/volumes.ts';
import { pictureOf } from './support/compose-picture.ts';
import { composeProject } from './support/compose-project.ts';
import { MAIN, NODE } from './support/daemon.ts';

const project = composeProject();
const { file, compose, does, filters, listed, inspected, idOf } = project;

const SLEEP = 'image: busybox, command: sleep 1000, stop_grace_period: 0s';

test('a project comes up with the names and labels of Docker Compose, and goes without a trace', async () => {
  file(`services:
  web: {${SLEEP}, depends_on: [db], volumes: ["data:/data"], networks: [default, back]}
  db: {${SLEEP}, networks: {back: {aliases: [database]}}}
volumes: {data: }
networks: {back: {internal: true}}
`);
  await does('up -d');
  const { Config, NetworkSettings, Mounts } = await inspected('demo-web-1');
  expect(Config.Labels).toMatchObject({
    'com.docker.compose.project': 'demo',
    'com.docker.compose.service': 'web',
    'com.docker.compose.container-number': '1',
    'com.docker.compose.oneoff': 'False',
    'com.docker.compose.config-hash': expect.stringMatching(/^[0-9a-f]{64}$/),
    'com.docker.compose.image': expect.stringMatching(/^sha256:/),
    'com.docker.compose.project.working_dir': project.directory,
    'com.docker.compose.project.config_files': join(project.directory, 'compose.yaml'),
    'com.docker.compose.depends_on': 'db:service_started:false',
  });
  expect(Object.keys(NetworkSettings.Networks).sort()).toEqual(['demo_back', 'demo_default']);
  expect(Mounts).toMatchObject([{ Type: 'volume', Name: 'demo_data', Destination: '/data' }]);
  expect(await project.engine.json<NetworkResource>('GET', '/networks/demo_back')).toMatchObject({
    Internal: true,
    Labels: { 'com.docker.compose.network': 'back', 'com.docker.compose.project': 'demo' },
  });
  for (const name of ['db', 'database', 'demo-db-1'])
    expect(await does(['exec', '-T', 'web', 'ping', '-c', '1', '-W', '5', name])).toContain(
      '1 packets received',
    );
  await does('down');
  expect(await listed()).toEqual([]);
  expect(await project.engine.json('GET', `/networks?${filters()}`)).toEqual([]);
  expect((await project.engine.json<VolumeList>('GET', `/volumes?${filters()}`)).Volumes).toHaveLength(1);
  await does('down -v');
  expect((await project.engine.json<VolumeList>('GET', `/volumes?${filters()}`)).Volumes ?? []).toEqual([]);
});

test('only changed services are recreated, and keep their anonymous volumes', async () => {
  const text = (value: string) => `services:
  a: {${SLEEP}, volumes: [/keep], environment: {V: "${value}"}}
  b: {${SLEEP}}
`;
  file(text('1'));
  await does('up -d');
  const before = await Promise.all(['demo-a-1', 'demo-b-1'].map(idOf));
  await does('exec -T a touch /keep/mine');
  await does('up -d');
  expect(await Promise.all(['demo-a-1', 'demo-b-1'].map(idOf))).toEqual(before);
  file(text('2'));
  await does('up -d');
  const after = await Promise.all(['demo-a-1', 'demo-b-1'].map(idOf));
  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).toBe(before[1]);
  expect(await does('exec -T a ls /keep')).toBe('mine\n');
  await does('up -d -V --force-recreate a');
  expect(await does('exec -T a ls /keep')).toBe('');
  expect(await idOf('demo-b-1')).toBe(before[1]);
  file(`services:\n  b: {${SLEEP}}\n`);
  expect((await compose('up -d')).err).toContain('Found orphan containers (demo-a-1)');
  await does('up -d --remove-orphans');
  expect((await listed()).map(({ Names }) => Names[0])).toEqual(['/demo-b-1']);
});

test('a mistake that the daemon finds ends nothing that runs', async () => {
  file(`services:\n  a: {${SLEEP}}\n`);
  await does('up -d');
  const before = await idOf('demo-a-1');
  file(`services:\n  a: {${SLEEP}, cap_add: [NO_SUCH]}\n`);
  const { code, err } = await compose('up -d');
  expect(code).toBe(1);
  expect(err).toMatch(/NO_SUCH/);
  expect(await inspected('demo-a-1')).toMatchObject({ Id: before, State: { Running: true } });
  expect(await listed()).toHaveLength(1);
});

test('--scale makes more, and takes those away that came last', async () => {
  file(`services:\n  a: {${SLEEP}, scale: 2}\n`);
  const names = async () => (await listed()).map(({ Names }) => Names[0]!).sort();
  await does('up -d');
  expect(await names()).toEqual(['/demo-a-1', '/demo-a-2']);
  await does('up -d --scale a=3');
  expect(await names()).toEqual(['/demo-a-1', '/demo-a-2', '/demo-a-3']);
  await does('up -d --scale a=1');
  expect(await names()).toEqual(['/demo-a-1']);
});

test('a service waits until others are healthy or done', async () => {
  file(`services:
  web: {${SLEEP}, depends_on: {db: {condition: service_healthy}, job: {condition: service_completed_successfully}}}
  db: {image: busybox, command: "sh -c 'sleep 0.5; touch /ready; sleep 1000'", stop_grace_period: 0s, healthcheck: {test: test -e /ready, interval: 100ms, retries: 100}}
  job: {image: busybox, command: "sleep 0.3"}
`);
  await does('up -d --wait web');
  const [web, job] = await Promise.all(['demo-web-1', 'demo-job-1'].map(inspected));
  expect(Date.parse(web!.State.StartedAt)).toBeGreaterThanOrEqual(Date.parse(job!.State.FinishedAt));
  expect((await inspected('demo-db-1')).State.Health?.Status).toBe('healthy');
});

test('a failed dependency is named, and the service is not started', async () => {
  file(`services:
  web: {${SLEEP}, depends_on: {job: {condition: service_completed_successfully}}}
  job: {image: busybox, command: "sh -c 'exit 7'"}
`);
  const { code, err } = await compose('up -d');
  expect(code).toBe(1);
  expect(err).toContain('service "job" didn\'t complete successfully: exit 7');
  expect((await inspected('demo-web-1')).State.Status).toBe('created');
});

test('up prints each line with its container, and exits as --exit-code-from says', async () => {
  file(`services:
  test: {image: busybox, command: "sh -c 'echo one; echo two >&2; exit 5'", depends_on: [server]}
  server: {${SLEEP}}
`);
  const { code, out } = await compose('up --exit-code-from test');
  expect(code).toBe(5);
  expect(out).toContain('test-1    | one\n');
  expect(out).toContain('test-1    | two\n');
  expect(out).toContain('test-1 exited with code 5\n');
  expect((await inspected('demo-server-1')).State.Running).toBe(false);
});

test('Ctrl-C stops the containers that up has started', async () => {
  file(`services:\n  a: {image: busybox, command: "sh -c 'echo here; sleep 1000'", stop_grace_period: 0s}\n`);
  const child = spawn(NODE, [MAIN, 'compose', '-p', 'demo', '--project-directory', project.directory, 'up'], {
    env: { ...process.env, DOCKER_HOST: project.daemon.host },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let out = '';
  child.stdout.on('data', chunk => {
    out += chunk;
    if (out.includes('a-1  | here')) child.kill('SIGINT');
  });
  const code = await new Promise(resolve => child.on('close', resolve));
  expect(out).toContain('a-1  | here\n');
  expect(code).toBe(130);
  expect((await inspected('demo-a-1')).State.Running).toBe(false);
});

test('run makes a container of its own, after those that it depends on, and gives the exit code', async () => {
  file(`services:
  tool: {image: busybox, entrypoint: [sh, -c], environment: {A: file}, depends_on: [db], ports: ["7070:70"]}
  db: {${SLEEP}}
`);
  const { code, out } = await compose([
    'run',
    '--rm',
    '-e',
    'A=mine',
    '-v',
    './:/here',
    'tool',
    'echo $A; ls /here; exit 9',
  ]);
  expect({ code, out }).toEqual({ code: 9, out: expect.stringMatching(/^mine\n/) });
  expect((await listed()).map(({ Names }) => Names[0])).toEqual(['/demo-db-1']);
  const id = (await does(['run', '-d', '--name', 'one-off', 'tool', 'sleep 1000'])).trim();
  const { Config, HostConfig } = await inspected('one-off');
  expect(Config.Labels).toMatchObject({
    'com.docker.compose.oneoff': 'True',
    'com.docker.compose.service': 'tool',
  });
  expect(HostConfig.PortBindings).toEqual({});
  expect(await does('ps -q tool')).toBe('');
  expect(await does('ps -aq tool')).toBe(`${id}\n`);
});

test('exec, cp, logs, top, port, images, ps and ls show a service', { tags: 'further' }, async () => {
  file(
    `services:\n  web: {image: busybox, command: "sh -c 'echo up; sleep 1000'", stop_grace_period: 0s, ports: ["127.0.0.1:8081:80"]}\n`,
  );
  await does('up -d');
  expect((await compose(['exec', '-T', '-u', 'nobody', 'web', 'sh', '-c', 'whoami; exit 4'])).code).toBe(4);
  writeFileSync(join(project.directory, 'in'), 'text');
  await does(['cp', join(project.directory, 'in'), 'web:/tmp/in']);
  await does(['cp', 'web:/tmp/in', join(project.directory, 'out')]);
  expect(readFileSync(join(project.directory, 'out'), 'utf8')).toBe('text');
  expect(await does('logs')).toBe('web-1  | up\n');
  expect(await does('logs --no-log-prefix web')).toBe('up\n');
  expect(await does('top')).toMatch(/^demo-web-1\n.*sleep 1000/s);
  expect(await does('port web 80')).toBe('127.0.0.1:8081\n');
  expect(await does('images')).toMatch(/demo-web-1 +busybox +latest/);
  expect(JSON.parse(await does('ps --format json'))).toMatchObject({
    Name: 'demo-web-1',
    Service: 'web',
    State: 'running',
  });
  expect(await project.ours.does('compose ls')).toMatch(/demo +running\(1\) +\/.*compose.yaml/);
  expect((await compose('port web 81')).err).toContain('no port 81/tcp');
  expect((await compose('logs wep')).err).toContain('no such service: wep');
});

test('stop, start, pause, unpause, restart, kill, wait and rm', async () => {
  file(`services:\n  a: {${SLEEP}}\n  b: {${SLEEP}, depends_on: [a]}\n`);
  const states = async () => (await listed()).map(({ State }) => State);
  await does('create');
  expect(await states()).toEqual(['created', 'created']);
  await does('start');
  expect(await states()).toEqual(['running', 'running']);
  await does('pause');
  expect(await states()).toEqual(['paused', 'paused']);
  await does('unpause');
  const before = (await inspected('demo-a-1')).State.StartedAt;
  await does('restart -t 0 a');
  expect((await inspected('demo-a-1')).State.StartedAt).not.toBe(before);
  const waited = compose('wait b');
  await does('kill -s KILL b');
  expect(await waited).toMatchObject({
    code: 137,
    out: 'container "demo-b-1" exited with status code 137\n',
  });
  await does('rm -f');
  expect((await listed()).map(({ Names }) => Names[0])).toEqual(['/demo-a-1']);
  await does('stop -t 0');
  expect(await states()).toEqual(['exited']);
  expect(await does(['events', '--since', '1m', '--until', '0s'])).toContain('container die');
});

test('images are built with arguments and targets, and down --rmi local removes them', async () => {
  mkdirSync(join(project.directory, 'app'));
  file('FROM busybox AS base\nARG V\nRUN echo $V >/v\nFROM base AS last\nRUN false\n', 'app/Dockerfile');
  file('services:\n  app: {build: {context: app, target: base, args: {V: seven}}, command: cat /v}\n');
  expect(await does('up --no-log-prefix')).toMatch(/^seven$/m);
  await does('build --no-cache');
  await does('down --rmi local');
  expect((await project.engine.ask('GET', '/images/demo-app/json')).status).toBe(404);
});

test('secrets and configs are files in the container', async () => {
  file('hidden', 'key.txt');
  file(
    'services:\n  a: {image: busybox, command: "cat /run/secrets/key /etc/app.conf", secrets: [key], configs: [{source: conf, target: /etc/app.conf}]}\nsecrets: {key: {file: key.txt}}\nconfigs: {conf: {file: key.txt}}\n',
  );
  expect(await does('up --no-log-prefix')).toContain('hiddenhidden');
});

test('a service in the network of another one follows it when that is recreated', {
  tags: 'further',
}, async () => {
  const text = (value: number) =>
    `services:\n  a: {${SLEEP}, hostname: "h${value}"}\n  b: {${SLEEP}, network_mode: "service:a"}\n`;
  for (const value of [1, 2]) {
    file(text(value));
    await does('up -d');
    expect((await inspected('demo-b-1')).HostConfig.NetworkMode).toBe(`container:${await idOf('demo-a-1')}`);
  }
});

test('a service that asks for it is restarted when the one that it depends on is', async () => {
  const text = (value: number) =>
    `services:\n  a: {${SLEEP}, hostname: "h${value}"}\n  b: {${SLEEP}, depends_on: {a: {condition: service_started, restart: true}}}\n  c: {${SLEEP}, depends_on: [a]}\n`;
  const starts = () =>
    Promise.all(['demo-b-1', 'demo-c-1'].map(async name => (await inspected(name)).State.StartedAt));
  file(text(1));
  await does('up -d');
  let before = await starts();
  for (const step of ['up -d', 'restart -t 0 a']) {
    file(text(2));
    await does(step);
    const after = await starts();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    before = after;
  }
});

test('wait --down-project takes the rest of the project down', { tags: 'further' }, async () => {
  file(`services:\n  a: {${SLEEP}}\n  job: {image: busybox, command: "sleep 1"}\n`);
  await does('up -d');
  await does('wait --down-project job');
  expect(await listed()).toEqual([]);
});

test('a file of the first generation links its services', async () => {
  file(
    `web:\n  image: busybox\n  command: sleep 1000\n  links: ["db:database"]\ndb:\n  image: busybox\n  command: sleep 1000\n`,
  );
  await does('up -d');
  expect(await does(['exec', '-T', 'web', 'ping', '-c', '1', '-W', '5', 'database'])).toContain(
    '1 packets received',
  );
});

test('nothing is made when the file is wrong', async () => {
  file(`services:\n  a: {${SLEEP}}\n  b:\n    imge: busybox\n`);
  const { code, err } = await compose('up -d');
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(
      /compose\.yaml:4:5: services\.b has an unknown key "imge"; did you mean "image"\?/,
    ),
  });
  expect(await listed()).toEqual([]);
});

const peer = spawnSync('docker-compose', ['version']);
const picture = (...names: string[]) => pictureOf(project.engine, names);

test.skipIf(peer.status !== 0)(
  'the same file gives the same containers, networks and volumes as with docker-compose 1.29',
  { tags: 'further' },
  async () => {
    file(`services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 3s
    environment: [A=1, "B=two words"]
    labels: {tier: front}
    ports: ["8082:80", "127.0.0.1:5353:53/udp"]
    expose: ["99"]
    volumes: ["data:/data:ro", "./:/here", /anonymous]
    networks: {front: {aliases: [www]}, back: }
    depends_on: [db]
    healthcheck: {test: "true", interval: 5s, retries: 2}
    ulimits: {nofile: {soft: 100, hard: 200}}
    extra_hosts: ["host:10.0.0.9"]
    cap_add: [NET_ADMIN]
    cap_drop: [MKNOD]
    dns: 10.0.0.53
    tmpfs: /run
    logging: {driver: json-file, options: {max-size: 1m}}
    restart: "on-failure:3"
    mem_limit: 64m
    cpus: 0.5
    shm_size: 16m
    sysctls: {net.core.somaxconn: 512}
    user: nobody
    working_dir: /tmp
    read_only: true
    init: true
    hostname: box
    security_opt: ["no-new-privileges:true"]
  db: {image: busybox, entrypoint: [sleep], command: ["1000"], stop_grace_period: 0s, networks: [back], tty: true}
volumes: {data: {labels: {keep: "1"}}}
networks:
  front: {ipam: {config: [{subnet: 10.77.0.0/24}]}}
  back: {internal: true, labels: {l: "1"}}
`);
    const run = (args: string[]) =>
      spawnSync(
        'docker-compose',
        [
          '-p',
          'demo',
          '--project-directory',
          project.directory,
          '-f',
          join(project.directory, 'compose.yaml'),
          ...args,
        ],
        {
          env: { ...process.env, DOCKER_HOST: project.daemon.host },
          encoding: 'utf8',
        },
      );
    const made = run(['up', '-d']);
    expect(made.status, made.stderr).toBe(0);
    const theirs = await picture('demo_web_1', 'demo_db_1');
    run(['down', '-v', '-t', '0']);
    await does('up -d');
    expect(await picture('demo-web-1', 'demo-db-1')).toEqual(theirs);
  },
);

test('run exits as the program does, with 127 where there is none and 126 where it cannot run', async () => {
  file('services:\n  job: { image: busybox }\n');
  for (const [command, code] of [
    ['false', 1],
    ['nosuch', 127],
    ['/etc/passwd', 126],
  ] as const)
    expect((await compose(`run --rm job ${command}`)).code, command).toBe(code);
});
