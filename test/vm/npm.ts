// npm packages for another architecture than this machine's, in the versions that the lock file has.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const lockFile = new URL('../../package-lock.json', import.meta.url);

/** @returns NAME@VERSION, and the hash of its archive */
export function lockedNpm(name: string): { spec: string; integrity: string } {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'));
  const { version, integrity } = lock.packages[`node_modules/${name}`];
  return { spec: `${name}@${version}`, integrity };
}

/** @throws Error when it cannot be had, or is not what the lock file says */
export function unpackNpm(name: string, modules: string): void {
  const { spec, integrity } = lockedNpm(name);
  const directory = join(modules, name);
  mkdirSync(directory, { recursive: true });
  const packed = ['pack', '--silent', '--pack-destination', directory, spec];
  const file = join(directory, execFileSync('npm', packed, { encoding: 'utf8', timeout: 300_000 }).trim());
  const hash = createHash('sha512').update(readFileSync(file)).digest('base64');
  if (integrity !== `sha512-${hash}`) throw new Error(`${spec} is not what package-lock.json says`);
  execFileSync('tar', ['-xzf', file, '-C', directory, '--strip-components=1']);
  rmSync(file);
}
