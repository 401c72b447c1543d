import { expect, test } from 'vitest';
import {
  decodeReference,
  encodeReference,
  familiarName,
  familiarReference,
  withTag,
} from './image-reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['busybox:1.35', 'docker.io/library/busybox:1.35', 'busybox:1.35'],
  ['user/image', 'docker.io/user/image:latest', 'user/image:latest'],
  ['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['index.docker.io/library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['localhost/a', 'localhost/a:latest', 'localhost/a:latest'],
  ['localhost:5000/a/b:v1', 'localhost:5000/a/b:v1', 'localhost:5000/a/b:v1'],
  ['registry.example/a', 'registry.example/a:latest', 'registry.example/a:latest'],
  ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a:latest'],
  ['Upper/a', 'Upper/a:latest', 'Upper/a:latest'],
  ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
  [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`, `busybox@${DIGEST}`],
  [`busybox:1@${DIGEST}`, `docker.io/library/busybox:1@${DIGEST}`, `busybox:1@${DIGEST}`],
  ['a__b-c.d--e', 'docker.io/library/a__b-c.d--e:latest', 'a__b-c.d--e:latest'],
])('%s means what docker takes it for', (text, full, familiar) => {
  const reference = withTag(decodeReference(text));
  expect(encodeReference(reference)).toBe(full);
  expect(familiarReference(reference)).toBe(familiar);
  expect(withTag(decodeReference(familiar))).toEqual(reference);
});

test('a name without its tag is shown without docker.io and library', () => {
  expect(familiarName(decodeReference('docker.io/library/busybox:1'))).toBe('busybox');
});

test.each([
  '',
  ':tag',
  'a:',
  'a b',
  '-a',
  'a//b',
  'a/',
  '/a',
  'a:b:c',
  'a@sha256:12',
  'a@',
  'a:.b',
  'a___b',
  'ä',
])('%j is refused as no reference', text =>
  expect(() => decodeReference(text)).toThrow(/^invalid reference format/),
);

test('capital letters in a name are refused with the reason', () => {
  expect(() => decodeReference('BusyBox')).toThrow(
    'invalid reference format: repository name (library/BusyBox) must be lowercase',
  );
});

test('an id is no name', () => {
  expect(() => decodeReference('f'.repeat(64))).toThrow('cannot specify 64-byte hexadecimal strings');
});

test('a name of more than 255 characters is refused', () => {
  expect(() => decodeReference('a'.repeat(300))).toThrow('must not be more than 255');
});
