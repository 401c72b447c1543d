// The rules of the source tree that no compiler checks: who may import whom, and what a file may be.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { notInCi, shares } from './suite/shares.ts';

const root = join(import.meta.dirname, '..');

/** Folders of mini-docker/, and which others each may use. */
const layers: Record<string, readonly string[]> = {
  linux: [],
  formats: [],
  runtime: ['linux', 'formats'],
  'oci-runtime': ['linux', 'formats', 'runtime'],
  view: ['linux', 'formats', 'runtime'],
  images: ['linux', 'formats'],
  network: ['linux', 'formats'],
  build: ['linux', 'formats', 'images', 'runtime', 'network'],
  rootless: ['linux', 'formats', 'runtime'],
  daemon: ['linux', 'formats'],
  engine: ['linux', 'formats', 'view', 'images', 'runtime', 'network', 'build', 'daemon'],
  api: ['engine', 'formats', 'daemon'],
  web: ['formats'],
  cli: ['formats', 'web'],
};

/** What a command must ask the kernel because Node cannot, and what Node does in a way that may never end. */
const exceptions: readonly string[] = [
  'mini-docker/cli/copy/capabilities.ts → mini-docker/linux/xattrs.ts',
  ...['api/listen', 'cli/daemon/registry-config', 'cli/daemon/start', 'cli/commands/system-install'].map(
    file => `mini-docker/${file}.ts → mini-docker/linux/make-directories.ts`,
  ),
];

/** The rooms of engine/, from the ground up: which others each may use. The files beside them use all. */
const rooms: Record<string, readonly string[]> = {
  core: [],
  streams: ['core'],
  state: ['core', 'streams'],
  spec: ['core', 'state'],
  files: ['core', 'state'],
  networks: ['core', 'state', 'spec'],
  volumes: ['core', 'state', 'spec', 'files'],
  clients: ['core', 'state', 'streams', 'spec', 'files', 'networks'],
  life: ['core', 'state', 'streams', 'spec', 'files', 'networks', 'volumes'],
  images: ['core', 'state', 'spec', 'files', 'life'],
  builds: ['core', 'state', 'spec', 'files', 'networks', 'life', 'images'],
  reports: ['core', 'state', 'streams', 'spec', 'files', 'networks', 'volumes', 'images'],
};

/** Libraries that are one layer's own business. */
const reserved: Record<string, string> = { koffi: 'linux' };

/** The only files beside the layers: they put the parts together. */
const wiring = ['mini-docker/main.ts', 'mini-docker/daemon.ts'];

/** The one index file: what #linux stands for. */
const index = 'mini-docker/linux/linux.ts';

/** What may be taken from mini-docker/ by the course's programs. */
const forChapters = ['linux', 'formats'];

/** Lists, which are read by looking up. */
const tables: readonly string[] = [
  'mini-docker/linux/syscalls.ts',
  'mini-docker/formats/engine-api/containers.ts',
];

interface Import {
  file: string;
  specifier: string;
}

const files = globSync('{mini-docker,chapters,exercises,solutions,learn,capstone,test,bench}/**/*.ts', {
  cwd: root,
}).sort();

function isTest(file: string): boolean {
  return file.startsWith('test/') || /\.test\.ts$/.test(file) || file.includes('/testing/');
}

const product = files.filter(file => !isTest(file));
const ofMiniDocker = product.filter(file => file.startsWith('mini-docker/'));

function source(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Text without comments; the strings stay. A program is not needed for our own formatted sources. */
function code(file: string): string {
  return source(file)
    .replace(/^\s*\/\*.*?\*\/\s*$/gms, '')
    .replace(/^\s*\/\/.*$/gm, '');
}

/** Static and dynamic imports, and exports from elsewhere, of values and of types. */
function importsOf(file: string): Import[] {
  const text = code(file);
  const found = [
    ...text.matchAll(/^(?:import|export)\s[^'"`;]*?\bfrom\s+(['"])(?<specifier>[^'"]+)\1/gms),
    ...text.matchAll(/^import\s+(['"])(?<specifier>[^'"]+)\1/gm),
    ...text.matchAll(/\bimport\(\s*(['"`])(?<specifier>[^'"`]+)\1/g),
  ];
  // A name that is put together (code that writes code) is not one that could be looked up.
  return found
    .map(match => ({ file, specifier: match.groups!.specifier! }))
    .filter(({ specifier }) => !specifier.includes('${'));
}

/** 'mini-docker/linux/call.ts' for what is ours; undefined for a library. */
function target({ file, specifier }: Import): string | undefined {
  if (specifier === '#linux') return index;
  return specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : undefined;
}

/** 'linux' of 'mini-docker/linux/proc/stat.ts'. */
function layerOf(file: string): string | undefined {
  return /^mini-docker\/([^/]+)\//.exec(file)?.[1];
}

/** 'life' of 'mini-docker/engine/life/exit.ts'. */
function roomOf(file: string): string | undefined {
  return /^mini-docker\/engine\/([^/]+)\//.exec(file)?.[1];
}

function library(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const arrow = ({ file, specifier }: Import): string => `${file} → ${specifier}`;

test('every folder of mini-docker has its place in the table, and files beside them only wire', () => {
  const strangers = ofMiniDocker.filter(file => {
    const layer = layerOf(file);
    return layer === undefined ? !wiring.includes(file) : !(layer in layers);
  });
  expect(strangers).toEqual([]);
});

test('a layer imports only what the table lets it', () => {
  const forbidden = ofMiniDocker.flatMap(importsOf).filter(each => {
    const from = layerOf(each.file);
    const to = target(each);
    if (from === undefined || to === undefined || exceptions.includes(`${each.file} → ${to}`)) return false;
    const toLayer = layerOf(to);
    // Nothing may be taken from outside of the layers: from main.ts, chapters, tests.
    return toLayer === undefined || isTest(to) || (toLayer !== from && !layers[from]?.includes(toLayer));
  });
  expect(forbidden.map(arrow)).toEqual([]);
});

test('imports were seen: in every layer that has files, and as many as there are', () => {
  for (const layer of Object.keys(layers)) {
    const own = ofMiniDocker.filter(file => layerOf(file) === layer);

    expect(own.flatMap(importsOf).length, `imports in ${layer}/`).toBeGreaterThan(3);
  }
  const between = new Set(
    ofMiniDocker.flatMap(importsOf).map(each => {
      const to = target(each);
      return to && `${layerOf(each.file)} → ${layerOf(to)}`;
    }),
  );
  for (const pair of [
    'runtime → linux',
    'images → formats',
    'network → linux',
    'engine → runtime',
    'api → engine',
  ]) {
    expect(between).toContain(pair);
  }
  // Each import ends like this, however it is written.
  for (const file of ofMiniDocker) {
    const ends = code(file).match(/(^|\}|\s)from\s+'[^']+';$|\bimport\(\s*'|^import\s+'/gm) ?? [];
    expect(importsOf(file).length, file).toBe(ends.length);
  }
});

test('a room of the engine imports only what the table lets it', () => {
  const ofEngine = ofMiniDocker.filter(file => layerOf(file) === 'engine');
  expect([...new Set(ofEngine.map(roomOf))].filter(room => room !== undefined && !(room in rooms))).toEqual(
    [],
  );
  const forbidden = ofEngine.flatMap(importsOf).filter(each => {
    const from = roomOf(each.file);
    const to = target(each);
    if (from === undefined || to === undefined || layerOf(to) !== 'engine') return false;
    const toRoom = roomOf(to);
    return toRoom === undefined || (toRoom !== from && !rooms[from]?.includes(toRoom));
  });
  expect(forbidden.map(arrow)).toEqual([]);
});

test('no file imports itself by way of others', () => {
  const edges = new Map(
    product.map(file => [
      file,
      importsOf(file)
        .map(target)
        .filter(to => to !== undefined),
    ]),
  );
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (done.has(file) || path.includes(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  expect(circles).toEqual([]);
});

test("one file writes a container's state, and only for holders of its lock", () => {
  const owner = 'mini-docker/engine/life/transitions.ts';
  const functions = code(owner).match(/^export function .*\n?.*/gm) ?? [];
  expect(functions.length).toBeGreaterThan(10);
  expect(functions.filter(each => !/^export function \w+\(\s*held: Held\b/.test(each))).toEqual([]);

  // To others the compiler refuses it, as these are readonly,
  const ofRecord = /interface RecordState \{(.*?)^\}/ms.exec(code('mini-docker/engine/state/record.ts'))?.[1];
  const ofContainer = code('mini-docker/engine/state/live-container.ts');
  const writable = [...(ofRecord ?? '').matchAll(/^ {2}(\w+)\??:/gm)].map(match => match[1]);
  // written by engine/life/health.ts
  expect(writable).toEqual(['health']);
  for (const field of ['run', 'restartTimer', 'restartDelay', 'restarting', 'removing', 'removed'])
    expect(ofContainer).toMatch(new RegExp(`^ {2}readonly ${field}:`, 'm'));

  // and these are the ways around.
  const around = /-readonly\b|\bas Held\b|Object\.assign\(\s*(?:\w+\.)*(?:state|live|record)\b/;
  const others = ofMiniDocker.filter(file => layerOf(file) === 'engine' && file !== owner);
  expect(others.filter(file => around.test(code(file)))).toEqual([]);
});

test('directories are made one by one: below /proc, mkdir of node:fs with `recursive` never ends', () => {
  const recursive = /\bmkdir(?:Sync)?\([^;]*?\brecursive: true/;
  const found = product.filter(file => /^(?:mini-docker|learn)\//.test(file) && recursive.test(code(file)));
  expect(found).toEqual([]);
});

test('/proc is listed without types, which the kernel does not know of a process that ends meanwhile', () => {
  const typed = /readdir(?:Sync)?\([`'"]\/proc\b[^;]*?withFileTypes/;
  expect(product.filter(file => typed.test(code(file)))).toEqual([]);
});

test('only linux/ knows koffi', () => {
  const found = files.flatMap(importsOf).filter(each => {
    const owner = reserved[library(each.specifier)];
    // One library under test is another's: libseccomp, which ours is compared with.
    const isOther = each.file === 'test/seccomp/libseccomp.ts';
    return owner !== undefined && layerOf(each.file) !== owner && !isOther;
  });
  expect(found.map(arrow)).toEqual([]);
});

test('the course takes #linux and formats from mini-docker, and nothing that is above them', () => {
  const course = /^(chapters|exercises|solutions)\//;
  const found = product
    .filter(file => course.test(file))
    .flatMap(importsOf)
    .filter(each => {
      const to = target(each);
      // An exercise's checks are the grader's, and the learner gets no copy.
      if (/\/check[^/]*\.ts$/.test(each.file) && to?.startsWith('learn/grader/')) return false;
      return to !== undefined && !course.test(to) && !forChapters.includes(layerOf(to) ?? '');
    });
  expect(found.map(arrow)).toEqual([]);
});

test('ARCHITECTURE.md has every layer and every room, and names files that are there', () => {
  const text = source('ARCHITECTURE.md');
  const rows = new Set([...text.matchAll(/^\| `([\w-]+)\/` \|/gm)].map(match => match[1]));
  expect([...Object.keys(layers), ...Object.keys(rooms)].filter(name => !rows.has(name))).toEqual([]);

  const named = [...text.matchAll(/`([\w./-]+\.(?:ts|md))`/g)].map(match => match[1]!);
  expect(named.length).toBeGreaterThan(30);
  const isThere = (name: string) => ['', 'mini-docker'].some(top => existsSync(join(root, top, name)));
  // In a table's row a file is named within its room.
  expect(named.filter(name => name.includes('/') && !isThere(name))).toEqual([]);
});

test('texts name files that are there', () => {
  const texts = globSync(['*.md', '{docs,chapters,exercises,capstone}/**/*.{md,ts}'], { cwd: root });
  const named = texts
    .filter(file => file !== 'CHANGELOG.md')
    .flatMap(file =>
      [
        ...source(file).matchAll(
          /(?<![\w./@$}-])(?:mini-docker|learn|test|docs|chapters|capstone)\/[\w./-]+\.(?:ts|md|sh)\b/g,
        ),
      ].map(([path]) => ({ file, path })),
    );
  expect(named.length).toBeGreaterThan(300);
  // NAME.ts and NN-slug.test.ts stand for any.
  const missing = named.filter(({ path }) => !/\b(?:NAME|NN)\b/.test(path) && !existsSync(join(root, path)));
  expect(missing).toEqual([]);
});

test('a chapter has all its parts', () => {
  const folders = globSync('{chapters,exercises,solutions,test/mutants}/[0-9][0-9]*-*', { cwd: root });
  const tests = globSync('test/course/[0-9][0-9]-*.test.ts', { cwd: root });
  const slugs = new Set([...folders, ...tests].map(path => basename(path, '.test.ts')));
  expect(slugs.size).toBeGreaterThan(10);
  const missing = [...slugs].sort().flatMap(slug => {
    const starters = globSync(`exercises/${slug}/*`, { cwd: root })
      .map(path => basename(path))
      .filter(name => !/^(?:README\.md|hints\.md|check.*\.ts)$/.test(name));
    const parts = [
      `chapters/${slug}/README.md`,
      `chapters/${slug}/box.ts`,
      `exercises/${slug}/README.md`,
      `exercises/${slug}/hints.md`,
      `exercises/${slug}/checks.ts`,
      ...(starters.length > 0 ? starters : ['NAME.ts']).flatMap(name => [
        `exercises/${slug}/${name}`,
        `solutions/${slug}/${name}`,
      ]),
      `test/mutants/${slug}/mutants.ts`,
      `test/course/${slug}.test.ts`,
    ];
    return parts.filter(part => !existsSync(join(root, part)));
  });
  expect(missing).toEqual([]);
});

test('imports name a file, with its ending, or a library', () => {
  const found = files.flatMap(importsOf).filter(each => {
    const to = target(each);
    if (to !== undefined) return !/\.(ts|json)$/.test(to) || !existsSync(join(root, to));
    return /\.(ts|js)$/.test(each.specifier) || each.specifier.startsWith('/');
  });
  expect(found.map(arrow)).toEqual([]);
});

test('names are exported where they are defined: no index files, no default exports', () => {
  const defaults = files.filter(file => /^export default\b|\bas default\b/m.test(code(file)));
  // Tools read their configuration from a default export; none of these is in a folder of ours.
  expect(defaults).toEqual([]);
  const barrels = ofMiniDocker.filter(file => {
    const text = code(file);
    const passesOn = /^export\s+(type\s+)?(\{[^}]*\}|\*[^;]*?)\s+from\s/m.test(text);
    const defines = /^(export\s+)?(async\s+)?(function|const|let|class|interface|type)\s+[\w*]/m.test(text);
    return file !== index && passesOn && (!defines || /^export \*/m.test(text));
  });
  expect(barrels).toEqual([]);
  expect(product.filter(file => basename(file) === 'index.ts')).toEqual([]);
});

test('the compiler refuses what Node cannot strip: enums, namespaces, parameter properties', () => {
  expect(JSON.parse(source('tsconfig.json')).compilerOptions).toMatchObject({
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    strict: true,
  });
});

test('a file is one idea: at most 400 lines', () => {
  const long = product
    .map(file => ({ file, lines: source(file).split('\n').length - 1 }))
    .filter(({ file, lines }) => lines > 400 && !tables.includes(file));
  expect(long).toEqual([]);
});

test('files have names of what they hold', () => {
  const vague = /^(utils?|helpers?|common|manager|misc|shared|types)\.ts$/;
  expect(files.filter(file => vague.test(basename(file)))).toEqual([]);
});

test('every long test is run: by CI always or on some days, or else by people, as test/suite/shares.ts says', () => {
  const long = globSync('{test,mini-docker}/**/*.long.test.ts', { cwd: root });
  const { scripts } = JSON.parse(source('package.json'));
  const always: string[] = scripts['test:ci'].split('vitest run ')[1].split(' ');
  const daily = new Set(shares.map(({ file }) => file));
  const listed = (file: string): number =>
    always.filter(name => file.includes(name)).length + Number(daily.has(file)) + Number(file in notInCi);
  expect(long.filter(file => listed(file) !== 1)).toEqual([]);
  expect([...daily, ...Object.keys(notInCi)].filter(file => !long.includes(file))).toEqual([]);
  expect(always.filter(name => !long.some(file => file.includes(name)))).toEqual([]);
});
