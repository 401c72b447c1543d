// Finds the libraries that a program needs and the container lacks, searching where its dynamic linker does.
// ld.so(8); for musl, ldso/dynlink.c: the path file, else /lib:/usr/local/lib:/usr/lib.

import { posix } from 'node:path';
import { decodeElfFile, type ElfFile } from '../../../linux/elf-file.ts';
import type { ContainerFiles } from './container-files.ts';

const MULTIARCH = process.arch === 'x64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
const GLIBC = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', `/lib/${MULTIARCH}`, `/usr/lib/${MULTIARCH}`];
const MUSL = ['/lib', '/usr/local/lib', '/usr/lib'];

/** Largest number of libraries examined for one program. */
const MOST_LIBRARIES = 100;

export interface MissingLibrary {
  library: string;
  neededBy: string;
}

/** @param environment the container's variables, such as 'LD_LIBRARY_PATH=/opt/lib' */
export async function missingLibraries(
  files: ContainerFiles,
  options: { program: string; file: ElfFile; environment: readonly string[] },
): Promise<MissingLibrary[]> {
  const { program, file, environment } = options;
  if (file.interpreter === undefined) return [];
  const loader = posix.basename(file.interpreter);
  const variable = environment.find(each => each.startsWith('LD_LIBRARY_PATH='))?.slice(16) ?? '';
  const common = [...variable.split(':'), ...(await directoriesOf(files, loader))];
  const seen = new Set([loader]);
  const missing: MissingLibrary[] = [];
  const todo = [{ path: program, file, inherited: [] as string[] }];
  for (let next = todo.shift(); next !== undefined && seen.size < MOST_LIBRARIES; next = todo.shift()) {
    const { path, file, inherited } = next;
    const origin = posix.dirname(path);
    const own = file.runpath.map(each => each.replace(/\$(ORIGIN|\{ORIGIN\})/g, origin));
    for (const library of file.needed) {
      if (seen.has(library) || seen.size >= MOST_LIBRARIES || isLoaders(library, loader)) continue;
      seen.add(library);
      const found = await firstOf(files, library, [...own, ...inherited, ...common]);
      if (found === undefined) missing.push({ library, neededBy: path });
      else todo.push({ ...found, inherited: [...own, ...inherited] });
    }
  }
  return missing;
}

/** musl's linker is also its libc, whatever name a program uses for it. */
const isLoaders = (library: string, loader: string): boolean =>
  loader.startsWith('ld-musl') && /^(libc\.so|libc\.musl-.*)$/.test(library);

async function firstOf(files: ContainerFiles, library: string, directories: readonly string[]) {
  const paths = library.includes('/')
    ? [library]
    : directories.filter(each => each.startsWith('/')).map(each => posix.join(each, library));
  for (const path of paths) {
    const file = await files.withFile(path, decodeElfFile);
    if (file !== undefined) return { path, file };
  }
  return undefined;
}

async function directoriesOf(files: ContainerFiles, loader: string): Promise<string[]> {
  if (loader.startsWith('ld-musl')) {
    const own = await files.text(`/etc/${loader.replace(/\.so.*$/, '.path')}`);
    return own === '' ? MUSL : own.split(/[:\n]/);
  }
  const names = (await files.names('/etc/ld.so.conf.d')).filter(name => name.endsWith('.conf'));
  const configurations = ['/etc/ld.so.conf', ...names.map(name => `/etc/ld.so.conf.d/${name}`)];
  const texts = await Promise.all(configurations.map(path => files.text(path)));
  return [...texts.flatMap(text => text.split(/[\s:,]+/)), ...GLIBC];
}
