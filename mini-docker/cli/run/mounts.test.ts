import { expect, test } from 'vitest';
import { decodeMount, decodeVolume } from './mounts.ts';

const absolute = (path: string) => `/home/me/${path.replace(/^\.\//, '')}`;
const volume = (text: string) => decodeVolume(text, absolute);
const mount = (text: string) => decodeMount(text, absolute);

test('-v: binds, named and anonymous volumes', () => {
  expect(volume('/a:/b:ro')).toEqual({ bind: '/a:/b:ro' });
  expect(volume('data:/b')).toEqual({ bind: 'data:/b' });
  expect(volume('./x:/b')).toEqual({ bind: '/home/me/x:/b' });
  expect(volume('/data')).toEqual({ anonymous: '/data' });
  for (const bad of ['', 'a::b', ':/b', 'a:b:c:d'])
    expect(() => volume(bad)).toThrow(/^invalid (spec|empty)/);
});

test('--mount: every kind, short and long keys', () => {
  expect(mount('type=bind,src=./x,dst=/b,ro,bind-propagation=rslave')).toEqual({
    Type: 'bind',
    Source: '/home/me/x',
    Target: '/b',
    ReadOnly: true,
    BindOptions: { Propagation: 'rslave' },
  });
  expect(mount('source=data,target=/d,volume-label=a=b,volume-opt=o=x,volume-opt=p=y,volume-nocopy')).toEqual(
    {
      Type: 'volume',
      Source: 'data',
      Target: '/d',
      VolumeOptions: { Labels: { a: 'b' }, DriverConfig: { Options: { o: 'x', p: 'y' } }, NoCopy: true },
    },
  );
  expect(mount('type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=1770')).toEqual({
    Type: 'tmpfs',
    Target: '/t',
    TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1770 },
  });
});

test.each([
  ['type=bind,source=/a', 'target is required'],
  ['type=bind,foo=1,target=/b', "unknown option 'foo' in 'foo=1'"],
  ['foo', "invalid field 'foo' must be a key=value pair"],
  ['type=tmpfs,target=/b,bind-propagation=x', "cannot mix 'bind-*' options with mount type 'tmpfs'"],
  ['target=/b,readonly=perhaps', 'invalid value for readonly: perhaps'],
  ['target=/b,type=tmpfs,tmpfs-size=much', 'invalid value for tmpfs-size: much'],
])('--mount %s is refused', (text, message) => {
  expect(() => mount(text)).toThrow(message);
});
