// Archives and directories for tests.
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeEntry } from '../../formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding, type TarEntry } from '../../formats/tar/entry.ts';

export type TestEntry = Partial<TarEntry> & { path: string; content?: string | Buffer };

const TYPE_MODES: Partial<Record<string, number>> = { directory: 0o755, symlink: 0o777 };

export function tarOf(...entries: TestEntry[]): Buffer {
  return Buffer.concat([
    ...entries.flatMap(({ content = '', ...entry }) => {
      const bytes = Buffer.from(content);
      const mode = TYPE_MODES[entry.type ?? 'file'] ?? 0o644;
      const whole: TarEntry = { type: 'file', mode, uid: 0, gid: 0, mtime: 0n, ...entry, size: bytes.length };
      return [encodeEntry(whole), bytes, Buffer.alloc(padding(bytes.length))];
    }),
    END_OF_ARCHIVE,
  ]);
}

export async function* chunks(bytes: Uint8Array, size = 1 << 16): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

/** A directory that is removed at the end of the block: `using directory = temporaryDirectory()`. */
export function temporaryDirectory(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'images-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function withDirectory<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** For skips: `test.skipIf(!isInstalled('podman'))('… (needs podman)')`. */
export const isInstalled = (program: string): boolean =>
  (process.env.PATH ?? '').split(':').some(directory => existsSync(join(directory, program)));

export const textOf = (...path: string[]): string => readFileSync(join(...path), 'utf8');
