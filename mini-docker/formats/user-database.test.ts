import { expect, test } from 'vitest';
import { lookUpUser } from './user-database.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
www:x:33:33:www:/var/www:/bin/false
1000:x:77:77::/home/number:/bin/sh
# comment:x:1:1::/:
broken
nohome:x:5:6::
`;
const group = `root:x:0:
wheel:x:10:root,www
www:x:33:
audio:x:29:www
bad:x:nope:www
`;
const files = { passwd, group };

test('no user means root, with its groups and its home', () => {
  expect(lookUpUser('', files)).toEqual({ uid: 0, gid: 0, additionalGids: [0, 10], home: '/root' });
});

test('a name brings its group, its memberships and its home', () => {
  expect(lookUpUser('www', files)).toEqual({
    uid: 33,
    gid: 33,
    additionalGids: [33, 10, 29],
    home: '/var/www',
  });
  expect(lookUpUser('33', files)).toEqual(lookUpUser('www', files));
});

test('a group in the request replaces the memberships', () => {
  expect(lookUpUser('www:audio', files)).toMatchObject({ uid: 33, gid: 29, additionalGids: [29] });
  expect(lookUpUser('www:4242', files)).toMatchObject({ gid: 4242 });
  expect(lookUpUser(':audio', files)).toMatchObject({ uid: 0, gid: 29 });
});

test('a number needs no entry', () => {
  expect(lookUpUser('4242', files)).toEqual({ uid: 4242, gid: 0, additionalGids: [0], home: '/' });
  expect(lookUpUser('4242:4243', { passwd: '', group: '' })).toMatchObject({ uid: 4242, gid: 4243 });
});

test('a name made of digits comes before the number', () => {
  expect(lookUpUser('1000', files)).toMatchObject({ uid: 77 });
});

test('additional groups are looked up by name, and need no entry by number', () => {
  expect(lookUpUser('4242', { ...files, groupAdd: ['audio', '500'] }).additionalGids).toEqual([0, 29, 500]);
});

test('a name that is not there is an error that says so', () => {
  expect(() => lookUpUser('nobody', files)).toThrow(
    'unable to find user nobody: no matching entries in passwd file',
  );
  expect(() => lookUpUser('www:nope', files)).toThrow(
    'unable to find group nope: no matching entries in group file',
  );
  expect(() => lookUpUser('', { ...files, groupAdd: ['nope'] })).toThrow('unable to find group nope');
  expect(() => lookUpUser('4294967296', files)).toThrow('uids and gids must be in range 0-2147483647');
});
