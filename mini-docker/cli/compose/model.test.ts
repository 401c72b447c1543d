// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose files are written so
// The meaning of compose files, tested without a daemon.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeDotenv } from './dotenv.ts';
import { interpolate } from './interpolate.ts';
import { loadModel, lookupOf } from './load.ts';
import { openProject, type ProjectFlags } from './options.ts';
import { type Project, replicasOf, resolveProject, serviceHash } from './project.ts';
import { warningsOf } from './warnings.ts';
import { splitWords } from './words.ts';

const root = mkdtempSync(join(tmpdir(), 'mini-docker-compose-'));
let directory = '';
let count = 0;
beforeEach(() => {
  count += 1;
  directory = join(root, `project-${count}`);
  mkdirSync(directory);
});
afterAll(() => rmSync(root, { recursive: true }));

const VARIABLES: Record<string, string> = { TAG: '1.2', EMPTY: '', PORT: '8080' };
const warnings: string[] = [];

function files(contents: Record<string, string>): string[] {
  return Object.entries(contents).map(([name, text]) => {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  });
}

interface Loading {
  /** Names of the files given with -f; the first file alone when missing. */
  given?: string[];
  profiles?: string[];
  asked?: string[];
  raw?: boolean;
}

async function load(contents: Record<string, string> | string, loading: Loading = {}): Promise<Project> {
  const all = files(typeof contents === 'string' ? { 'compose.yaml': contents } : contents);
  const given = loading.given?.map(name => join(directory, name)) ?? [all[0]!];
  const { profiles = [], asked = [], raw = false } = loading;
  const lookup = lookupOf([name => VARIABLES[name]]);
  warnings.length = 0;
  const options = { files: given, directory, lookup, raw, home: '/root' };
  const loaded = await loadModel({ ...options, warn: message => warnings.push(message) });
  return resolveProject({ ...loaded, ...options, allResources: false, name: 'demo', profiles, asked });
}

/** A file with one service that has these lines. */
const web = (lines: string) => `services:\n  web:\n    image: busybox\n${lines.replace(/^/gm, '    ')}\n`;
const webOf = async (lines: string, loading?: Loading) => (await load(web(lines), loading)).services.web!;

describe('variables', () => {
  test.each([
    ['a$TAG.b', 'a1.2.b'],
    ['a${TAG}b', 'a1.2b'],
    ['$$TAG', '$TAG'],
    ['${NONE:-default}', 'default'],
    ['${EMPTY:-default}', 'default'],
    ['${EMPTY-default}', ''],
    ['${NONE-default}', 'default'],
    ['${TAG:+set}${EMPTY:+set}${EMPTY+there}', 'setthere'],
    ['${NONE:-${ALSO:-${TAG}}}', '1.2'],
    ['${NONE:-a:b}', 'a:b'],
    ['${TAG:?must be set}', '1.2'],
    ['${TAG:-${NONE:?not asked for}}', '1.2'],
  ])('%s is %s', (text, value) => {
    expect(interpolate(text, { lookup: name => VARIABLES[name], missing: () => {} })).toBe(value);
  });

  test.each([
    ['${TAG', 'invalid interpolation format'],
    ['${}', 'invalid interpolation format'],
    ['$ {TAG}', 'invalid interpolation format'],
    ['${TAG!x}', 'invalid interpolation format'],
    ['${NONE:?give me one}', 'needs the variable NONE: give me one'],
    ['${EMPTY:?}', 'needs the variable EMPTY: it is empty'],
  ])('%s is refused', (text, message) => {
    expect(() => interpolate(text, { lookup: name => VARIABLES[name], missing: () => {} })).toThrow(message);
  });

  test('one that is not set is warned of, and stands for nothing', async () => {
    expect((await webOf('hostname: a${NONE}b')).hostname).toBe('ab');
    expect(warnings).toEqual(['The "NONE" variable is not set. Defaulting to a blank string.']);
  });

  test('they stand for numbers and switches too', async () => {
    expect(await webOf('cpu_shares: ${PORT}\nports: ["${PORT}:80"]')).toMatchObject({
      cpu_shares: 8080,
      ports: [{ published: '8080', target: 80 }],
    });
  });

  test('--no-interpolate leaves them as they are', async () => {
    expect(await webOf('cpu_shares: ${PORT}\nhostname: $TAG', { raw: true })).toMatchObject({
      cpu_shares: '${PORT}',
      hostname: '$TAG',
    });
  });

  test('files of variables have quotes, comments and references', () => {
    const text = [
      '# a comment',
      'A=plain # behind',
      "B='single $A'",
      'C="two\\nlines $A"',
      'export D=${A}-d',
      'E="over',
      'two lines"',
      'F',
      'G: yaml',
      'H="\\$A"',
    ].join('\n');
    expect(Object.fromEntries(decodeDotenv(text, name => (name === 'F' ? 'ours' : undefined)))).toEqual({
      A: 'plain',
      B: 'single $A',
      C: 'two\nlines plain',
      D: 'plain-d',
      E: 'over\ntwo lines',
      F: 'ours',
      G: 'yaml',
      H: '$A',
    });
    expect(() => decodeDotenv('A=1\nB="open', () => undefined)).toThrow('line 2: B has no closing "');
    expect(() => decodeDotenv('9=1', () => undefined)).toThrow('line 1');
  });
});

describe('short forms', () => {
  test.each([
    ['command: sh -c "echo \'a b\'"', { command: ['sh', '-c', "echo 'a b'"] }],
    ['entrypoint: [a, "b c"]', { entrypoint: ['a', 'b c'] }],
    [
      'ports: ["127.0.0.1:53:53/udp"]',
      { ports: [{ mode: 'ingress', host_ip: '127.0.0.1', published: '53', target: 53, protocol: 'udp' }] },
    ],
    [
      'ports: ["9000-9001:80-81"]',
      {
        ports: [
          { published: '9000', target: 80 },
          { published: '9001', target: 81 },
        ],
      },
    ],
    ['ports: [80]', { ports: [{ target: 80, protocol: 'tcp' }] }],
    [
      'volumes: ["./a:/b:ro,Z"]',
      {
        volumes: [
          { type: 'bind', target: '/b', read_only: true, bind: { create_host_path: true, selinux: 'Z' } },
        ],
      },
    ],
    ['volumes: ["~/a:/b"]', { volumes: [{ source: '/root/a' }] }],
    ['volumes: [/b]', { volumes: [{ type: 'volume', target: '/b' }] }],
    ['environment: [A=1, B=]', { environment: { A: '1', B: '' } }],
    ['environment: {A: 1, B: true, TAG: }', { environment: { A: '1', B: 'true', TAG: '1.2' } }],
    ['labels: [a=b, c]', { labels: { a: 'b', c: '' } }],
    [
      'healthcheck: {test: a b, interval: 90s}',
      { healthcheck: { test: ['CMD-SHELL', 'a b'], interval: '1m30s' } },
    ],
    ['extra_hosts: {a: 10.0.0.1}', { extra_hosts: ['a:10.0.0.1'] }],
    ['extra_hosts: ["a=::1"]', { extra_hosts: ['a:::1'] }],
    [
      'ulimits: {nofile: 10, nproc: {soft: 1, hard: 2}}',
      { ulimits: { nofile: { soft: 10, hard: 10 }, nproc: { soft: 1, hard: 2 } } },
    ],
    ['build: {dockerfile: other}', { build: { dockerfile: 'other' } }],
    ['dns: 10.0.0.1\ntmpfs: /run', { dns: ['10.0.0.1'], tmpfs: ['/run'] }],
    ['mem_limit: 1g\nshm_size: 64m', { mem_limit: 1073741824, shm_size: 67108864 }],
    [
      'volumes: [{type: tmpfs, target: /t, tmpfs: {mode: 0700, size: 1k}}]',
      { volumes: [{ tmpfs: { mode: 0o700, size: 1024 } }] },
    ],
    ['x-mine: {anything: [1]}\ninit: yes', { init: true }],
  ])('%s', async (lines, expected) => {
    expect(await webOf(lines)).toMatchObject(expected);
  });

  test('a command is split as a shell would', () => {
    expect(splitWords(`a 'b c' "d \\"e\\"" f\\ g ''`)).toEqual(['a', 'b c', 'd "e"', 'f g', '']);
    expect(() => splitWords('a "b')).toThrow('a quote is not closed');
  });
});

describe('errors name the file, the line and the key that was meant', () => {
  const cases: [string, string][] = [
    [
      'services:\n  web:\n    imaeg: busybox',
      '3:5: services.web has an unknown key "imaeg"; did you mean "image"?',
    ],
    ['servces:\n  web:\n    image: busybox', '1:1: has an unknown key "servces"; did you mean "services"?'],
    [
      web('ports: [a]'),
      '4:13: services.web.ports[0] must be [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]: invalid containerPort: a',
    ],
    [
      web('deploy:\n  resources: {limits: {memroy: 1g}}'),
      'services.web.deploy.resources.limits has an unknown key "memroy"; did you mean "memory"?',
    ],
    [
      web('deploy:\n  placement: {constraint: [node.role == manager]}'),
      'services.web.deploy.placement has an unknown key "constraint"; did you mean "constraints"?',
    ],
    [web('deploy: {update_config: {order: first}}'), 'must be one of start-first, stop-first'],
    [web('init: 7'), '4:5: services.web.init must be true or false, not 7'],
    [web('pull_policy: sometimes'), 'services.web.pull_policy must be one of always'],
    [
      web('depends_on: [wep]'),
      '4:5: services.web.depends_on names the undefined service "wep"; did you mean "web"?',
    ],
    [web('volumes: ["data:/data"]'), '4:5: services.web.volumes names the undefined volume "data"'],
    [web('networks: [front]'), 'names the undefined network "front"'],
    [web('secrets: [key]'), 'names the undefined secret "key"'],
    [web('container_name: one\nscale: 2'), 'services.web.container_name allows one container only'],
    [web('network_mode: host\nnetworks: [default]'), 'has both network_mode and networks'],
    [web('env_file: none.env'), 'none.env, which is not there'],
    [web('gpus: some'), '4:5: services.web.gpus must be one of all: some is not'],
    [web('post_start: [{user: root}]'), '4:5: services.web.post_start has one without a command'],
    [web('hostname: ${NONE:?which one}'), '4:5: services.web.hostname needs the variable NONE: which one'],
    ['services:\n  web: {hostname: a}', 'services.web has neither an image nor a build context'],
    ['services:\n  web: [', 'compose.yaml:2:'],
    ['services: {}', 'no service in'],
    ['', 'the file is empty'],
    ['services: {__proto__: {image: a}}', 'has the key "__proto__"'],
    ['services: &a {web: {image: b, labels: *a}}', 'there is no anchor &a'],
    [web('env_file: /dev/zero'), '/dev/zero: the file is larger than 4 MiB'],
    ['include: [/dev/zero]\nservices: {web: {image: b}}', '/dev/zero: the file is larger than 4 MiB'],
    [`a: ${'['.repeat(50_000)}`, 'nested too deeply'],
    [web('scale: 999999999'), 'services.web asks for 999999999 containers, and may have 0 to 10000'],
    [web('deploy: {replicas: -1}'), 'asks for -1 containers'],
    ['secrets: {a: {}}\nservices: {web: {image: b}}', 'secrets.a has none of file, content, environment'],
    [
      'configs: {a: {file: f, content: c}}\nservices: {web: {image: b}}',
      'configs.a has more than one of file',
    ],
  ];
  test.each(cases)('%s', async (text, message) => {
    await expect(load(text)).rejects.toThrow(message);
  });

  test('services that wait for each other are named', async () => {
    const circle = 'services:\n  a: {image: b, depends_on: [b]}\n  b: {image: b, depends_on: [a]}';
    await expect(load(circle)).rejects.toThrow('dependency cycle detected: a -> b -> a');
  });

  test('aliases of aliases end before memory does', async () => {
    const levels = Array.from(
      { length: 20 },
      (_, level) => `x-${level + 1}: &a${level + 1} [*a${level}, *a${level}, *a${level}, *a${level}]`,
    );
    await expect(load(`x-0: &a0 [1]\n${levels.join('\n')}\nservices: {web: {image: b}}`)).rejects.toThrow(
      /more than 100000 values|alias/i,
    );
  });
});

test('variables of variables end before memory does', async () => {
  const doubled = Array.from({ length: 40 }, (_, line) => `V${line + 1}=$V${line}$V${line}`);
  const repeated = Array.from({ length: 1000 }, (_, line) => `W${line}=$V16`);
  for (const lines of [doubled, [...doubled.slice(0, 16), ...repeated]]) {
    const contents = {
      'compose.yaml': web('env_file: many.env'),
      'many.env': ['V0=0123456789', ...lines].join('\n'),
    };
    await expect(load(contents)).rejects.toThrow(/many\.env: line \d+: .* longer than \d+ characters/);
  }
});

test.each(['include', 'extends'])(
  'files that %s many files, each of which does the same, have an end',
  async how => {
    const contents: Record<string, string> = {};
    for (let level = 0; level < 6; level++) {
      const next = `level-${level + 1}.yaml`;
      const services = Array.from(
        { length: 10 },
        (_, each) => `  s${each}: {image: b, extends: {file: ${next}, service: s0}}`,
      );
      contents[`level-${level}.yaml`] =
        how === 'extends' ? `services:\n${services.join('\n')}` : `include: [${Array(10).fill(next)}]`;
    }
    contents['level-6.yaml'] = 'services: {s0: {image: b}}';
    await expect(load(contents)).rejects.toThrow('more than 1000 files are included or extended');
  },
);

describe('files together', () => {
  test('an override adds to lists, replaces commands, and merges mappings', async () => {
    const project = await load(
      {
        'a.yaml': web(
          'command: a\nports: ["80:80"]\nenvironment: {A: 1, B: 1}\nvolumes: ["./x:/data", "/y"]\ndns: [10.0.0.1]',
        ),
        'b.yaml':
          'services:\n  web:\n    command: b c\n    ports: ["81:80"]\n    environment: [B=2]\n    volumes: ["./z:/data"]\n    dns: [10.0.0.2]\n',
      },
      { given: ['a.yaml', 'b.yaml'] },
    );
    expect(project.services.web).toMatchObject({
      command: ['b', 'c'],
      ports: [{ published: '80' }, { published: '81' }],
      environment: { A: '1', B: '2' },
      volumes: [{ source: join(directory, 'z'), target: '/data' }, { target: '/y' }],
      dns: ['10.0.0.1', '10.0.0.2'],
    });
  });

  test('!reset drops and !override replaces what earlier files say', async () => {
    const { services } = await load(
      {
        'a.yaml': web('ports: ["80:80"]\nhostname: a\ndns: [10.0.0.1]'),
        'b.yaml': 'services:\n  web:\n    hostname: !reset null\n    ports: !override ["90:90"]\n',
      },
      { given: ['a.yaml', 'b.yaml'] },
    );
    expect(services.web).toMatchObject({ ports: [{ published: '90' }], dns: ['10.0.0.1'] });
    expect(services.web!.ports).toHaveLength(1);
    expect(services.web!.hostname).toBeUndefined();
  });

  test('anchors and merge keys', async () => {
    const { services } = await load(
      'x-base: &base {image: busybox, environment: &env {A: 1}}\nservices:\n  web:\n    <<: *base\n    environment: {<<: *env, B: 2}\n',
    );
    expect(services.web).toMatchObject({ image: 'busybox', environment: { A: '1', B: '2' } });
  });

  test('extends takes a service of this file or another one, whose paths are its own', async () => {
    const { services } = await load({
      'compose.yaml':
        'services:\n  web:\n    extends: {file: other/base.yaml, service: base}\n    environment: {B: 2}\n  more:\n    extends: web\n    hostname: more\n',
      'other/base.yaml':
        'services:\n  base:\n    image: busybox\n    volumes: ["./data:/data"]\n    environment: {A: 1, B: 1}\n',
    });
    const expected = {
      image: 'busybox',
      environment: { A: '1', B: '2' },
      volumes: [{ source: join(directory, 'other/data') }],
    };
    expect(services).toMatchObject({ web: expected, more: { ...expected, hostname: 'more' } });
  });

  test('extends that leads back to itself is an error', async () => {
    await expect(load('services:\n  a: {extends: b}\n  b: {extends: a}\n')).rejects.toThrow(
      'leads back to itself: a → b → a',
    );
    await expect(load(web('extends: nobody'))).rejects.toThrow('names the service "nobody"');
  });

  test('include brings services with the variables and paths of their own directory', async () => {
    const { services, volumes } = await load({
      'compose.yaml': 'include: [part/compose.yaml]\nservices: {web: {image: busybox, depends_on: [db]}}\n',
      'part/compose.yaml':
        'services: {db: {image: "db:${OWN}", volumes: ["./d:/d", "v:/v"]}}\nvolumes: {v: }\n',
      'part/.env': 'OWN=7\n',
    });
    expect(services.db).toMatchObject({
      image: 'db:7',
      volumes: [{ source: join(directory, 'part/d') }, {}],
    });
    expect(volumes.v!.name).toBe('demo_v');
  });

  test('two files that include each other, and one service in two forms, are errors', async () => {
    await expect(load({ 'a.yaml': 'include: [b.yaml]\n', 'b.yaml': 'include: [a.yaml]\n' })).rejects.toThrow(
      'includes or extends itself',
    );
    await expect(
      load({
        'a.yaml': 'include: [b.yaml]\nservices: {a: {image: x}}\n',
        'b.yaml': 'services: {a: {image: y}}\n',
      }),
    ).rejects.toThrow('services.a is in an included file too');
  });

  test('a file of the first generation has its services at the top, and links on the default bridge', async () => {
    const { services } = await load(
      'web:\n  build: .\n  dockerfile: other\n  links: ["db:database"]\n  log_driver: none\ndb:\n  image: busybox\n  net: host\n',
    );
    expect(services).toMatchObject({
      web: {
        build: { context: directory, dockerfile: 'other' },
        network_mode: 'bridge',
        logging: { driver: 'none' },
        depends_on: { db: { condition: 'service_started' } },
      },
      db: { network_mode: 'host' },
    });
  });
});

describe('what is resolved', () => {
  test('env_file lies below environment, and later files count more', async () => {
    files({ 'a.env': 'A=1\nB=1\nC=1\n', 'b.env': 'B=2\nD=${A}\n' });
    const { environment } = await webOf(
      'env_file: [a.env, {path: b.env}, {path: no.env, required: false}]\nenvironment: {C: 3}',
    );
    expect(environment).toEqual({ A: '1', B: '2', C: '3', D: '1' });
  });

  test('services of a profile wait for it, or for being named', async () => {
    const text =
      'services:\n  a: {image: b}\n  debug: {image: b, profiles: [dev], depends_on: [tool]}\n  tool: {image: b, profiles: [tools]}\n';
    expect(Object.keys((await load(text)).services)).toEqual(['a']);
    expect(Object.keys((await load(text, { asked: ['debug'] })).services)).toEqual(['a', 'debug', 'tool']);
    await expect(load(text, { profiles: ['dev'] })).rejects.toThrow(
      'which is in a profile that is not active',
    );
    expect(Object.keys((await load(text, { profiles: ['*'] })).services)).toHaveLength(3);
  });

  test('names have the project in front, unless they are given or from outside', async () => {
    const { networks, volumes } = await load(
      'services: {web: {image: b, networks: [default, a, b, c]}}\nnetworks: {a: , b: {name: mine}, c: {external: true}}\nvolumes: {d: {external: {name: old}}}\n',
    );
    expect(Object.values(networks).map(({ name }) => name)).toEqual(['demo_a', 'mine', 'c', 'demo_default']);
    expect(volumes.d!.name).toBe('old');
  });

  test('services wait for those whose networks, volumes and links they use', async () => {
    const { services } = await load(
      'services:\n  a: {image: b}\n  n: {image: b, network_mode: "service:a"}\n  v: {image: b, volumes_from: ["a:ro"]}\n  l: {image: b, links: ["a:x"]}\n',
    );
    for (const name of ['n', 'v', 'l']) expect(Object.keys(services[name]!.depends_on!)).toEqual(['a']);
  });

  test('the hash changes with the container, not with how many there are or what is built', async () => {
    const project = await load('services: {web: {image: b}}\n');
    const hash = async (lines: string) => serviceHash(project, await webOf(lines));
    const base = await hash('environment: {A: 1, B: 2}');
    expect(await hash('environment: [B=2, A=1]')).toBe(base);
    expect(await hash('environment: {A: 1, B: 2}\nscale: 3\npull_policy: always')).toBe(base);
    expect(await hash('environment: {A: 1, B: 3}')).not.toBe(base);
    expect(replicasOf(await webOf('deploy: {replicas: 4}'))).toBe(4);
  });
});

describe('settings without an effect', () => {
  const SWARM = `deploy:
  mode: global
  endpoint_mode: dnsrr
  placement: {constraints: [node.role == manager], preferences: [{spread: node.labels.zone}], max_replicas_per_node: 1}
  update_config: {parallelism: 2, delay: 10s, order: start-first, max_failure_ratio: 0.5}
  rollback_config: {parallelism: 0, failure_action: pause, monitor: 1m}
  resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: gpu, value: 2}}]}}`;

  test.each([
    ['of a swarm', SWARM, []],
    ['cpu_count', 'cpu_count: 2', ['services.web.cpu_count has an effect on Windows only']],
    [
      'the owner of a mounted secret',
      'secrets: [{source: key, uid: "7"}, {source: word, uid: "7"}]',
      ['services.web.secrets.key: uid, gid and mode are ignored, because a file is mounted as it is'],
    ],
    [
      'options of another type of mount',
      'volumes: [{type: tmpfs, target: /t, bind: {create_host_path: false}}]',
      ['services.web.volumes: the mount at /t is of type tmpfs, and ignores its options of bind'],
    ],
  ])('%s: as Docker Compose, which warns of some', async (_, lines, expected) => {
    const project = await load(`${web(lines)}secrets: {key: {file: ./key}, word: {environment: TAG}}\n`);
    expect([...warnings, ...warningsOf(project, 'web')]).toEqual(expected);
  });

  test('`version` is obsolete, and said to be', async () => {
    await load(`version: "3.8"\n${web('')}`);
    expect(warnings).toEqual([
      expect.stringMatching(/compose\.yaml: the attribute `version` is obsolete, it will be ignored, /),
    ]);
  });
});

describe('which project', () => {
  const flags = (more: Partial<ProjectFlags>): ProjectFlags => ({
    'all-resources': false,
    'dry-run': false,
    ansi: undefined,
    'env-file': [],
    file: [],
    profile: [],
    progress: undefined,
    'project-directory': directory,
    'project-name': undefined,
    ...more,
  });
  const text = 'services: {web: {image: "b:${V:-none}"}}\n';

  test('the directory names it, and its override file and .env are found', async () => {
    files({
      'docker-compose.yml': text,
      'docker-compose.override.yml': 'services: {web: {hostname: "h-${COMPOSE_PROJECT_NAME}"}}\n',
      '.env': 'V=3\n',
    });
    const project = await openProject({ flags: flags({}) });
    expect(project.name).toBe(`project-${count}`);
    expect(project.services.web).toMatchObject({ image: 'b:3', hostname: `h-project-${count}` });
  });

  test('-p, --env-file and name: in this order', async () => {
    files({ 'compose.yaml': `name: own-${'${V:-none}'}\n${text}`, 'other.env': 'V=9\n' });
    const other = join(directory, 'other.env');
    expect((await openProject({ flags: flags({ 'env-file': [other] }) })).name).toBe('own-9');
    expect((await openProject({ flags: flags({ 'project-name': 'mine' }) })).name).toBe('mine');
    await expect(openProject({ flags: flags({ 'project-name': 'Not_Good' }) })).rejects.toThrow(
      'invalid project name "Not_Good"',
    );
    await expect(openProject({ flags: flags({ file: [join(directory, 'none.yaml')] }) })).rejects.toThrow(
      'none.yaml: no such file or directory',
    );
  });
});
