import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testRecord } from '../testing/record.ts';
import { currentIdentity, storedIdentity } from './identities.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-identities-'));
  for (const layer of ['lower', 'upper']) mkdirSync(join(directory, layer));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

let images = 0;
function identify(user: string) {
  const record = { ...testRecord({ config: { User: user } }), imageId: `image ${images++}` };
  return storedIdentity(record, {
    lowerdirs: [join(directory, 'lower')],
    upperdir: join(directory, 'upper'),
  });
}
function write(path: string, text: string) {
  mkdirSync(join(directory, path, '..'), { recursive: true });
  writeFileSync(join(directory, path), text);
}

test("users are those of the image, and of the container's own changes to it", () => {
  write('lower/etc/passwd', 'web:x:7:8::/web:/bin/sh\n');
  expect(identify('web')).toMatchObject({ uid: 7, gid: 8, home: '/web' });
  write('upper/etc/passwd', 'web:x:70:80::/own:/bin/sh\n');
  expect(identify('web')).toMatchObject({ uid: 70, gid: 80, home: '/own' });
});

test("an image whose /etc/passwd points out of it does not show the host's users", () => {
  mkdirSync(join(directory, 'lower/etc'));
  symlinkSync('../../../../../../../../etc/passwd', join(directory, 'lower/etc/passwd'));
  expect(() => identify('root')).toThrow('unable to find user root');
  expect(identify('0')).toMatchObject({ uid: 0, home: '/' });
});

test('an image without users knows numbers', () => {
  expect(identify('7:8')).toMatchObject({ uid: 7, gid: 8 });
});

test('a running process is looked up in its own root', () => {
  expect(currentIdentity(process.pid, { user: 'root', groupAdd: [] })).toMatchObject({
    uid: 0,
    home: '/root',
  });
});
