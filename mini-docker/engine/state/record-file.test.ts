import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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

test('a write that was cut off between the temporary file and the rename changes nothing', () => {
  const one = record('1'.repeat(64));
  createRecord(paths, one);
  writeFileSync(`${paths.container(one.id).config}.tmp`, '{"version":1,"id":"');
  expect(load().records).toEqual([one]);
});

test('a record that cannot be read is named and left for its owner, and the others are loaded', () => {
  const one = record('1'.repeat(64));
  const two = record('2'.repeat(64));
  createRecord(paths, one);
  createRecord(paths, two);
  truncateSync(paths.container(one.id).config, 20);
  const { records, warnings } = load();
  expect(records).toEqual([two]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(one.id);
  expect(existsSync(paths.container(one.id).directory)).toBe(true);
});
