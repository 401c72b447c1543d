import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepCopy } from '../../linux/kept-file.ts';
import { type DataPaths, dataPaths } from '../core/paths.ts';
import { testRecord } from '../testing/record.ts';
import { createRecord, loadRecords, retireRecord, saveRecord } from './record-file.ts';

let root: string;
let paths: DataPaths;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mini-docker-records-'));
  paths = dataPaths({ dataRoot: root, runDir: join(root, 'run') });
  mkdirSync(paths.containers);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const record = (id: string) => testRecord({ id, name: `name-${id.slice(0, 4)}` });
const load = () => {
  const warnings: string[] = [];
  return { records: loadRecords(paths, warning => warnings.push(warning)), warnings };
};

test('a record comes back as it was saved', () => {
  const one = record('1'.repeat(64));
  createRecord(paths, one);
  one.name = 'renamed';
  saveRecord(paths, one);
  expect(load().records).toEqual([one]);
});

test('what a killed daemon left half made or half removed is gone at the next start', () => {
  const one = record('1'.repeat(64));
  createRecord(paths, one);
  retireRecord(paths, one.id);
  mkdirSync(join(paths.containers, `.creating-${'2'.repeat(64)}`, 'upper'), { recursive: true });
  expect(load()).toEqual({ records: [], warnings: [] });
  expect(readdirSync(paths.containers)).toEqual([]);
});

test('what a power cut left half made is gone; what was in use is kept as broken', () => {
  for (const digit of ['1', '2']) {
    createRecord(paths, record(digit.repeat(64)));
    truncateSync(paths.container(digit.repeat(64)).config);
  }
  writeFileSync(join(paths.container('2'.repeat(64)).upperdir, 'mine'), '');
  expect(load().records.map(({ id, broken }) => [id[0], broken !== undefined])).toEqual([['2', true]]);
  expect(readdirSync(paths.containers)).toEqual(['2'.repeat(64)]);
});

test('a write that was cut off between the temporary file and the rename changes nothing', () => {
  const one = record('1'.repeat(64));
  createRecord(paths, one);
  writeFileSync(`${paths.container(one.id).config}.tmp`, '{"version":1,"id":"');
  expect(load().records).toEqual([one]);
});

test('a record that cannot be read is a broken container with its name, and the others are loaded', () => {
  const one = record('1'.repeat(64));
  const two = record('2'.repeat(64));
  createRecord(paths, one);
  createRecord(paths, two);
  truncateSync(paths.container(one.id).config, 200);
  const { records, warnings } = load();
  expect(records[1]).toEqual(two);
  expect(records[0]).toMatchObject({ id: one.id, name: one.name, broken: expect.any(String) });
  expect(warnings.join('\n')).toContain(paths.container(one.id).config);
  expect(readdirSync(paths.container(one.id).directory)).toContain('config.json.broken');
});

test('the last good copy of a record takes its place', () => {
  const one = record('1'.repeat(64));
  createRecord(paths, one);
  keepCopy(paths.container(one.id).config);
  for (const bad of ['', 'null', '{}', '{"version":1}', 'x'.repeat(100)]) {
    writeFileSync(paths.container(one.id).config, bad);
    const { records, warnings } = load();
    expect(records, bad).toEqual([one]);
    expect(warnings, bad).toHaveLength(1);
    saveRecord(paths, one);
  }
});

test.each([
  ['config', null],
  ['hostConfig', 1],
  ['state', {}],
  ['networks', { a: null }],
  ['mounts', [null]],
  ['args', 'sh'],
  ['name', '../x'],
])('a record whose %s is %j is none', (field, value) => {
  const one = record('1'.repeat(64));
  createRecord(paths, one);
  writeFileSync(paths.container(one.id).config, JSON.stringify({ ...one, [field]: value }));
  expect(load().records).toMatchObject([{ id: one.id, broken: expect.any(String) }]);
});
