import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tourStops } from '../../learn/commands/tour.ts';
import { repository } from '../../learn/repository.ts';

const stops = tourStops();

test('the tour has twelve stops, each with a question and an answer', () => {
  expect(stops).toHaveLength(12);
  for (const { text, answer } of stops) {
    expect(text).toContain('**Question.**');
    expect(answer).toMatch(/\w/);
  }
});

describe.each(stops)('$title', ({ file, text: stop, answer }) => {
  const text = `${stop}\n\n${answer}`;

  test('shows one file of at most 200 lines', () => {
    expect(readFileSync(join(repository, file), 'utf8').split('\n').length).toBeLessThanOrEqual(201);
  });

  test('mentions only names that are in the file', () => {
    const code = readFileSync(join(repository, file), 'utf8');
    // Names in the language's own style: camelCase, PascalCase, calls. The rest is commands, paths and values.
    const names = [...text.matchAll(/`(#?[a-z]+[A-Z]\w*|[A-Z][a-z]\w*|#?\w+(?=\())[^`]*`/g)].map(
      ([, name]) => name!,
    );
    expect(names.filter(name => !new RegExp(`(?<!\\w)${name}\\b`).test(code))).toEqual([]);
  });

  test('mentions only files that exist', () => {
    const paths = [...text.matchAll(/\b[\w/-]+\.(?:ts|md)\b/g)].map(([path]) => path);
    const places = [repository, join(repository, file, '..')];
    expect(
      paths.filter(path => !places.some(place => existsSync(join(place, path.replace(/^(\.\.\/)+/, ''))))),
    ).toEqual([]);
  });
});
