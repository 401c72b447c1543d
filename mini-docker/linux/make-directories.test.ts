import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectories } from './make-directories.ts';

test('makes all that is missing, and says why where it cannot', () => {
  const directory = mkdtempSync(join(tmpdir(), 'make-directories-'));
  try {
    makeDirectories(join(directory, 'a/b/c'), 0o700);
    expect(statSync(join(directory, 'a/b/c')).mode & 0o777).toBe(0o700);
    makeDirectories(join(directory, 'a/b/c'));
    writeFileSync(join(directory, 'file'), '');
    expect(() => makeDirectories(join(directory, 'file/x'))).toThrow(/EEXIST|ENOTDIR/);
    expect(() => makeDirectories('/proc/nowhere/x')).toThrow('ENOENT');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
