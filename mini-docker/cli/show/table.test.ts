import { expect, test } from 'vitest';
import { encodeTable } from './table.ts';

test('columns are aligned, at least ten wide, and the last is not padded', () => {
  const rows = [
    ['REPOSITORY', 'TAG', 'IMAGE ID'],
    ['busybox', 'latest', '0123'],
    ['a-name-that-is-long', '1', ''],
  ];
  expect(encodeTable(rows)).toBe(
    [
      'REPOSITORY            TAG       IMAGE ID',
      'busybox               latest    0123',
      'a-name-that-is-long   1         ',
      '',
    ].join('\n'),
  );
});
