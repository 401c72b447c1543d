import { expect, test } from 'vitest';
import { parseCopyArgument, planCopy, renamed } from './plan.ts';

const file = (path: string) => ({ path, directory: false });
const directory = (path: string) => ({ path, directory: true });
const absent = (path: string) => ({ path, exists: false, directory: false });
const aFile = (path: string) => ({ path, exists: true, directory: false });
const aDirectory = (path: string) => ({ path, exists: true, directory: true });

test('a file goes into a directory under its name, and to a path under the name there', () => {
  expect(planCopy(file('/a/f'), aDirectory('/d'))).toEqual({ into: '/d', rename: 'f' });
  expect(planCopy(file('/a/f'), absent('/d/g'))).toEqual({ into: '/d', rename: 'g' });
  expect(planCopy(file('/a/f'), aFile('/d/g'))).toEqual({ into: '/d', rename: 'g' });
});

test('a directory goes into a directory, or becomes one; its contents alone with /.', () => {
  expect(planCopy(directory('/a/s/'), aDirectory('/d'))).toEqual({ into: '/d', rename: 's' });
  expect(planCopy(directory('/a/s/.'), aDirectory('/d'))).toEqual({ into: '/d' });
  expect(planCopy(directory('/a/s'), absent('/d/n/'))).toEqual({ into: '/d', rename: 'n' });
  expect(planCopy(directory('/a/s/.'), absent('/n'))).toEqual({ into: '/', rename: 'n' });
});

test('what cannot be is refused', () => {
  expect(() => planCopy(directory('/a/s'), aFile('/d/f'))).toThrow('cannot copy directory');
  expect(() => planCopy(file('/a/f'), absent('/d/'))).toThrow('no such directory');
  expect(() => planCopy(file('/a/f'), aFile('/d/'))).toThrow('not a directory');
});

test('the topmost entry is renamed, whatever the archive calls it', () => {
  expect(['dd/', 'dd/a', 'dd/s/b'].map(each => renamed(each, 'n'))).toEqual(['n', 'n/a', 'n/s/b']);
  expect(['./', './a', './s/b', '.'].map(each => renamed(each, 'n'))).toEqual(['n', 'n/a', 'n/s/b', 'n']);
  expect(['/', '/etc/hosts'].map(each => renamed(each, 'n'))).toEqual(['n', 'n/etc/hosts']);
});

test('a colon behind a slash belongs to a local path', () => {
  expect(parseCopyArgument('web:/a')).toEqual({ container: 'web', path: '/a' });
  expect(parseCopyArgument('web:a:b')).toEqual({ container: 'web', path: 'a:b' });
  for (const local of ['/a:b', './a:b', 'a/b:c', 'a', '-'])
    expect(parseCopyArgument(local)).toEqual({ path: local });
});
