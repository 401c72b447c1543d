// bin/main.cjs keeps the compiled code of what a command ran, and starts the next one with it.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

/** The launcher, with a program of ours in the place of the bundle. */
function program(body: string) {
  const root = mkdtempSync(join(tmpdir(), 'mini-docker-launcher-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const name of ['bin', 'dist']) mkdirSync(join(root, name));
  cpSync(join(import.meta.dirname, '../bin/main.cjs'), join(root, 'bin/main.cjs'));
  writeFileSync(
    join(root, 'dist/main.cjs'),
    `(function(exports,require,module,__filename,__dirname){${body}})`,
  );
  const cache = join(root, 'dist/.cache');
  return {
    root,
    cache,
    run: (...args: string[]) =>
      spawnSync(process.execPath, [join(root, 'bin/main.cjs'), ...args], { encoding: 'utf8' }),
  };
}

const SAYS = 'const say = () => console.log("said", ...process.argv.slice(2)); say();';

test('each command keeps its code, and a run that uses it prints the same', () => {
  const { cache, run } = program(SAYS);
  expect(run('--host', 'unix:///x', 'ps', '-q').stdout).toBe('said --host unix:///x ps -q\n');
  expect(readdirSync(cache)).toEqual(['main-ps']);
  const { mtimeMs, size } = statSync(join(cache, 'main-ps'));
  expect(run('ps').stdout).toBe('said ps\n');
  expect(statSync(join(cache, 'main-ps'))).toMatchObject({ mtimeMs, size });
});

test('code that V8 does not take is replaced', () => {
  const { cache, run } = program(SAYS);
  mkdirSync(cache);
  writeFileSync(join(cache, 'main-ps'), 'from another version');
  expect(run('ps')).toMatchObject({ stdout: 'said ps\n', stderr: '', status: 0 });
  expect(statSync(join(cache, 'main-ps')).size).toBeGreaterThan(100);
});

test('the code of a bundle that was replaced meanwhile is not kept', () => {
  const { cache, run } = program('require("node:fs").appendFileSync(__filename, " ")');
  expect(run('ps').status).toBe(0);
  expect(() => readdirSync(cache)).toThrow('ENOENT');
});

test('a failed command keeps nothing, and one that cannot write runs all the same', () => {
  const failing = program('process.exit(3)');
  expect(failing.run('ps').status).toBe(3);
  expect(() => readdirSync(failing.cache)).toThrow('ENOENT');
  const { cache, run } = program(SAYS);
  writeFileSync(cache, 'no directory');
  expect(run('ps')).toMatchObject({ stdout: 'said ps\n', stderr: '', status: 0 });
});

test('`run` has a bundle of its own, which is not the one that the OCI runtime has', () => {
  const { root, run } = program(SAYS);
  writeFileSync(join(root, 'dist/run.cjs'), '(function(){console.log("alone")})');
  expect(run('run', 'busybox').stdout).toBe('alone\n');
  expect(run('container', 'run', 'busybox').stdout).toBe('said container run busybox\n');
  cpSync(join(root, 'dist/main.cjs'), join(root, 'dist/oci-runtime.cjs'));
  symlinkSync('main.cjs', join(root, 'bin/oci-runtime.cjs'));
  expect(
    spawnSync(process.execPath, [join(root, 'bin/oci-runtime.cjs'), 'run', 'x'], { encoding: 'utf8' }).stdout,
  ).toBe('said run x\n');
});
