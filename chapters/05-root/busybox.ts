// A small Linux in a directory: one program, busybox, under its many names. Chapter 9 replaces it with images.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';

const ROOT = '/tmp/box/rootfs';

/** Creates the root if it does not exist yet. @returns its directory */
export function busyboxRoot(): string {
  if (existsSync(ROOT)) return ROOT;
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  for (const name of ['bin', 'etc', 'root', 'tmp']) mkdirSync(`${ROOT}/${name}`, { recursive: true });
  copyFileSync(busybox, `${ROOT}/bin/busybox`);
  const names = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of names) {
    if (name !== 'busybox') symlinkSync('busybox', `${ROOT}/bin/${name}`);
  }
  writeFileSync(`${ROOT}/etc/passwd`, 'root:x:0:0:root:/root:/bin/sh\n');
  return ROOT;
}
