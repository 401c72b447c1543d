import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chapters } from '../../learn/course.ts';
import { repository } from '../../learn/repository.ts';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const sections = read('docs/misconceptions.md')
  .split(/^## /m)
  .slice(1)
  .map(text => ({ title: text.slice(0, text.indexOf('\n')), text }));

test.each(sections)('$title: has a question to ask, and a step that shows the answer', ({ text }) => {
  expect(text).toMatch(/^\*\*Ask:\*\* "[^"]+"$/m);
  const [shown = ''] = /^\*\*Show:\*\* [\s\S]*/m.exec(text) ?? [];
  const places = [...shown.matchAll(/chapter (\w+), (?:steps? (\d+)(?: and (\d+))?|"([^"]+)")/g)];
  expect(places.length).toBeGreaterThan(0);
  for (const [, number, ...where] of places) {
    const { slug } = chapters().find(chapter => chapter.number === number)!;
    const readme = read(`chapters/${slug}/README.md`);
    for (const each of where.filter(found => found !== undefined))
      expect(readme).toMatch(
        new RegExp(`^## ${/^\d/.test(each) ? `Step ${each}\\.` : each.replace(/[?,.]/g, '.?')}`, 'm'),
      );
  }
});

test('every chapter has a misconception', () => {
  const covered = new Set(
    [...read('docs/misconceptions.md').matchAll(/chapter (\w+),/g)].map(([, number]) => number),
  );
  expect(chapters().filter(({ number }) => !covered.has(number))).toEqual([]);
});
