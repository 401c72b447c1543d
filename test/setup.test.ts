// A newcomer's first minute, where something is missing.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
let clone: string;
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'clone-'));
  for (const name of ['bin', 'package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(root, name), join(clone, name), { recursive: true });
});
afterAll(() => rmSync(clone, { recursive: true }));

test('without a network, set-up says within 20 seconds what is wrong and what to do', () => {
  // npm keeps what Node compiled of it in the directory for temporary files.
  const environment = { ...process.env, TMPDIR: clone, npm_config_cache: join(clone, 'cache') };
  const begun = performance.now();
  const { status, stderr } = spawnSync('unshare', ['--map-root-user', '--net', 'sh', 'bin/setup'], {
    cwd: clone,
    env: environment,
    encoding: 'utf8',
  });
  expect(performance.now() - begun).toBeLessThan(20_000);
  expect(status).toBe(1);
  expect(stderr).toMatch(/cannot install its packages: \S+ cannot be reached \(.+\)/);
  expect(stderr).toMatch(/npm config set https-proxy .*a mirror .*node_modules/s);
  expect(stderr).not.toMatch(/npm ERR|npm error|^\s+at /m);
}, 60_000);
