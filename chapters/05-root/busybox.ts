// A small Linux in a directory: one program, busybox, under its many names. Chapter 9 puts images in its place.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';

const ROOT = '/tmp/box/rootfs';

/** Makes it, if it is not there. @returns the directory */
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
