import { closeSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openMergedView } from './merged-view.ts';

const base = mkdtempSync(join(tmpdir(), 'merged-view-'));
afterAll(() => rmSync(base, { recursive: true }));

function directory(name: string, file?: string): string {
  const path = join(base, name);
  mkdirSync(path);
  if (file !== undefined) writeFileSync(join(path, file), '');
  return path;
}

// 40 layers fit into one value of fsconfig(2), 130 do not.
test.each([1, 40, 130])(
  'a merged view shows the files of %i layers, and the daemon stays where it was',
  count => {
    const names = Array.from({ length: count }, (_, index) => `file-${index}`);
    const lowerdirs = names.map(name => directory(`${count}-${name}`, name));
    const before = process.cwd();
    using descriptors = new DisposableStack();
    const view = openMergedView({
      lowerdirs,
      upperdir: directory(`${count}-upper`),
      workdir: directory(`${count}-work`),
    });
    descriptors.defer(() => closeSync(view));
    expect(readdirSync(`/proc/self/fd/${view}`).sort()).toEqual(names.sort());
    expect(process.cwd()).toBe(before);
  },
);
