import { expect, test } from 'vitest';
import { chainIds, digestOf, hexOf } from './digest.ts';
import { decodeIndex, decodeManifest, encodeJson } from './image.ts';
import { decodeImageConfig } from './image-config.ts';

const digest = digestOf('x');
const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 7 };
const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest] } };

test('the digest of no bytes is the well-known one', () => {
  expect(digestOf('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('a digest that would lead out of the store is no file name', () => {
  expect(() => hexOf('sha256:../../etc/passwd')).toThrow('not a sha256 digest');
});

test('chain ids follow the image specification', () => {
  const [a, b] = [digestOf('a'), digestOf('b')];
  expect(chainIds([a, b])).toEqual([a, digestOf(`${a} ${b}`)]);
});

test('a manifest comes back as it was', () => {
  const manifest = { schemaVersion: 2 as const, config: descriptor, layers: [descriptor] };
  expect(decodeManifest(encodeJson(manifest))).toEqual(manifest);
});

test.each([
  [{ schemaVersion: 1 }, 'Docker schema 1 is not supported'],
  [{ schemaVersion: 2, config: descriptor, layers: [], manifests: [] }, 'has a list of manifests too'],
  [
    { schemaVersion: 2, config: { ...descriptor, digest: 'md5:1' }, layers: [] },
    'config.digest is not a sha256',
  ],
  [{ schemaVersion: 2, config: { ...descriptor, size: -1 }, layers: [] }, 'config.size is negative'],
  [{ schemaVersion: 2, config: { ...descriptor, size: 1.5 }, layers: [] }, 'must be an integer, not 1.5'],
  [{ schemaVersion: 2, config: descriptor, layers: {} }, 'layers must be a list'],
  [[], 'image manifest must be an object'],
])('a manifest %j is refused', (value, message) => {
  expect(() => decodeManifest(JSON.stringify(value))).toThrow(message);
});

test('an index with layers of its own is refused', () => {
  expect(() => decodeIndex(JSON.stringify({ schemaVersion: 2, manifests: [], layers: [] }))).toThrow(
    'layers',
  );
});

test('what is not JSON is said to be none', () => {
  expect(() => decodeManifest('<html>')).toThrow('image manifest is not JSON');
});

test('an image configuration keeps the fields that are known', () => {
  const full = { ...config, config: { Cmd: ['sh'], Env: ['A=b'], Volumes: { '/data': {} } }, later: 1 };
  const { later: _, ...known } = full;
  expect(decodeImageConfig(JSON.stringify(full))).toEqual(known);
});

test('null is as good as absent, as Go writes it', () => {
  const nulls = { ...config, config: { Cmd: null, Labels: null, OnBuild: null }, history: null };
  expect(decodeImageConfig(JSON.stringify(nulls))).toEqual({ ...config, config: {} });
});

test.each([
  [{ ...config, os: 7 }, 'image configuration.os must be a string, not 7'],
  [{ ...config, config: { Env: 'A=b' } }, 'image configuration.config.Env must be a list'],
  [{ ...config, config: { Env: [1] } }, 'image configuration.config.Env[0] must be a string'],
  [{ ...config, config: { Env: ['A=\0'] } }, 'must be a string without NUL'],
  [{ ...config, config: { Labels: { a: {} } } }, 'config.Labels.a must be a string'],
  [{ ...config, rootfs: { type: 'layers', diff_ids: ['../x'] } }, 'diff_ids[0] is not a sha256 digest'],
  [{ ...config, rootfs: null }, 'image configuration.rootfs must be an object'],
])("a hostile configuration %j is refused by the field's name", (value, message) => {
  expect(() => decodeImageConfig(JSON.stringify(value))).toThrow(message);
});

test('a label cannot reach the prototype', () => {
  const text = JSON.stringify({ ...config, config: {} }).replace(
    '"config":{}',
    '"config":{"Labels":{"__proto__":"x"}}',
  );
  const labels = decodeImageConfig(text).config?.Labels;
  expect(Object.keys(labels ?? {})).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(labels)).toBe(Object.prototype);
});
