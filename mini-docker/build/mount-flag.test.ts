import { expect, test } from 'vitest';
import { decodeMount } from './mount-flag.ts';

test('each kind of mount has its own fields and defaults', () => {
  expect(decodeMount('target=/a')).toMatchObject({ type: 'bind', target: '/a', source: '/', readonly: true });
  expect(decodeMount('dst=/a,from=x,src=/b,rw')).toMatchObject({ from: 'x', source: '/b', readonly: false });
  expect(decodeMount('type=cache,target=/c,sharing=locked,mode=0700,uid=5')).toMatchObject({
    ...{ type: 'cache', id: '/c', sharing: 'locked', mode: 0o700, uid: 5, gid: 0, readonly: false },
  });
  expect(decodeMount('type=secret,id=s')).toMatchObject({
    target: '/run/secrets/s',
    hasTarget: false,
    required: false,
  });
  expect(decodeMount('type=secret,target=/etc/key')).toMatchObject({ id: 'key', hasTarget: true });
  expect(decodeMount('type=tmpfs,target=/t,size=1m')).toMatchObject({ size: 1 << 20 });
});

test.each([
  ['type=ssh', 'ssh is not supported'],
  ['type=bnd,target=/a', 'the type is bind, cache, tmpfs or secret'],
  ['type=bind', 'the target is missing'],
  ['type=cache,target=/a,sharng=locked', 'did you mean sharing?'],
  ['type=cache,target=/a,sharing=mine', 'sharing is shared, private or locked'],
  ['type=tmpfs,target=/a,size=lots', 'invalid size'],
  ['type=secret', 'a secret needs an id or a target'],
  ['type=cache,target=/a,mode=9', 'mode is no number'],
  ['type=bind,target="/a', 'quotes are not closed'],
])('%s is refused with a reason', (text, reason) => {
  expect(() => decodeMount(text)).toThrow(reason);
});
