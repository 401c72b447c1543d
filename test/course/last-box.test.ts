import { expect, test } from 'vitest';
import { chapters } from '../../learn/course.ts';
import { CAPABILITIES, QUICK, testLastBox } from './last-box.ts';

testLastBox(chapter => QUICK.includes(chapter));

test('what each chapter adds is in the table', () => {
  const found = new Set(CAPABILITIES.map(([chapter]) => chapter));
  const numbers = chapters().map(({ slug }) => slug.split('-')[0]!);
  expect(numbers.filter(each => each !== '00' && !found.has(each))).toEqual([]);
});
