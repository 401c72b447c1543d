// Kernel modules in the order in which insmod takes them.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KernelModule {
  name: string;
  content: Buffer;
}

/**
 * The modules that are there of `names`, each behind those that it depends on. What is built into the kernel has no
 * file and needs none.
 * @param directory with the files, somewhere below it
 */
export function modulesInOrder(directory: string, names: readonly string[]): KernelModule[] {
  const files = new Map<string, string>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const name = /^(.*)\.ko(\.xz)?$/.exec(entry.name)?.[1];
    if (name !== undefined) files.set(name.replaceAll('-', '_'), join(entry.parentPath, entry.name));
  }
  const ordered = new Map<string, KernelModule>();
  const add = (name: string) => {
    const file = files.get(name);
    if (file === undefined || ordered.has(name)) return;
    const content = file.endsWith('.xz')
      ? execFileSync('xz', ['-dc', file], { maxBuffer: 2 ** 28 })
      : readFileSync(file);
    for (const dependency of dependenciesOf(content)) add(dependency);
    ordered.set(name, { name, content });
  };
  for (const name of names) add(name.replaceAll('-', '_'));
  return [...ordered.values()];
}

/** A module's section .modinfo has them: 'depends=9pnet,netfs', between zeros. */
function dependenciesOf(content: Buffer): string[] {
  const start = content.indexOf('\0depends=');
  if (start < 0) return [];
  const text = content.toString('latin1', start + 9, content.indexOf(0, start + 9));
  return text
    .split(',')
    .filter(name => name !== '')
    .map(name => name.replaceAll('-', '_'));
}
