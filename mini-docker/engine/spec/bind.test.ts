import { expect, test } from 'vitest';
import { cleanPath, decodeBind } from './bind.ts';

test('a host path, a volume, and their options are told apart', () => {
  expect(decodeBind('/data:/srv')).toEqual({
    source: '/data',
    isVolume: false,
    destination: '/srv',
    readOnly: false,
    propagation: '',
    noCopy: false,
    mode: '',
  });
  expect(decodeBind('cache:/srv/:ro,nocopy')).toMatchObject({
    source: 'cache',
    isVolume: true,
    destination: '/srv',
    readOnly: true,
    noCopy: true,
    mode: 'ro,nocopy',
  });
  expect(decodeBind('/a/../b/:/c/./d:rslave,z')).toMatchObject({
    source: '/b',
    destination: '/c/d',
    propagation: 'rslave',
  });
});

test('what makes no sense is refused in words that name it', () => {
  const refused: [string, string][] = [
    ['/a:/b:ro:x', 'invalid volume specification'],
    [':/b', 'invalid volume specification'],
    ['/a:b', "invalid mount path: 'b' mount path must be absolute"],
    ['/a:/', "destination can't be '/'"],
    ['/a:/x/..', "destination can't be '/'"],
    ['/a:/b:rx', 'invalid mode: rx'],
    ['/a:/b:ro,rw', 'invalid mode'],
    ['/a:/b:ro,ro', 'invalid mode'],
    ['/a:/b:shared,slave', 'invalid mode'],
    ['/a:/b:nocopy', 'nocopy is for volumes'],
    ['v1:/b:rshared', 'field BindOptions must not be specified'],
    ['./a:/b', 'includes invalid characters for a local volume name'],
    ['a:/b', 'includes invalid characters for a local volume name'],
  ];
  for (const [text, message] of refused) expect(() => decodeBind(text), text).toThrow(message);
});

test('a cleaned path has no way up', () => {
  expect(cleanPath('/../../etc//passwd/')).toBe('/etc/passwd');
  expect(cleanPath('/')).toBe('/');
});
