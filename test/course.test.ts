// That the course is whole: chapters in an unbroken row, and in each what a reader expects. That none of its files is
// missing is for architecture.test.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chapters, exerciseOf } from '../learn/course.ts';
import { repository } from '../learn/repository.ts';

const has = (...path: string[]): boolean => existsSync(join(repository, ...path));

test('chapters are numbered from 0, without a gap', () => {
  const whole = chapters().filter(({ number }) => /^\d+$/.test(number));
  expect(whole.map(({ number }) => number)).toEqual(whole.map((_, index) => String(index)));
  // A second half follows its first.
  const halves = chapters().filter(chapter => !whole.includes(chapter));
  for (const { number } of halves)
    expect(whole.map(each => each.number)).toContain(number.replace(/[a-z]$/, ''));
});

/** What a chapter may take from npm: formats that are not its subject. */
const LIBRARIES = ['yaml', 'dns-packet'];

describe.each(chapters())('chapter $slug', chapter => {
  const { slug, number, title } = chapter;

  test('has a new module, and not too many', () => {
    const modules = readdirSync(join(repository, 'chapters', slug)).filter(name =>
      /^(?!box|step-).*\.ts$/.test(name),
    );
    // The chapter's idea, and where it must be what the idea works on: chapter 5 makes a root to change to. From
    // chapter 16 on, a chapter is about a whole part of an engine.
    expect(modules.length).toBeGreaterThanOrEqual(1);
    expect(modules.length).toBeLessThanOrEqual(slug < '16' ? 4 : 10);
  });

  test('says its number, what goes wrong, how Docker does it, and what to read', () => {
    const readme = readFileSync(join(repository, 'chapters', slug, 'README.md'), 'utf8');
    expect(readme).toMatch(new RegExp(`^# Chapter ${number}\\. ${RegExp.escape(title)}\n`));
    const headings = readme.split('\n').filter(line => line.startsWith('## '));
    for (const heading of ['## What goes wrong, and how it looks', '## Questions', '## Exercise']) {
      expect(headings).toContain(heading);
    }
    expect(headings.some(heading => /^## How Docker/.test(heading))).toBe(true);
    expect(readme).toMatch(/^Man pages: /m);
  });

  test('has one to four tasks with points, and files for them in the exercise and the solution', async () => {
    const { tasks } = await exerciseOf(chapter);
    expect(tasks.length).toBeGreaterThanOrEqual(1);
    expect(tasks.length).toBeLessThanOrEqual(4);
    for (const { id, points, file } of tasks) {
      expect(id).toMatch(/^[a-z0-9-]+$/);
      expect(points).toBeGreaterThan(0);
      for (const folder of ['exercises', 'solutions'])
        expect(has(folder, slug, file), `${folder}/${slug}/${file}`).toBe(true);
    }
  });

  test('imports #linux and earlier chapters only', () => {
    for (const folder of ['chapters', 'exercises', 'solutions']) {
      for (const name of readdirSync(join(repository, folder, slug)).filter(
        file => /\.ts$/.test(file) && !/^check.*\.ts$/.test(file),
      )) {
        const code = readFileSync(join(repository, folder, slug, name), 'utf8');
        const imports = [...code.matchAll(/^(?:import .*|\}) from '([^']+)';$/gm)].map(([, from]) => from!);
        for (const from of imports) {
          const other = /^(?:\.\.\/)+(?:chapters\/)?(\d\d[a-z]?-[^/]+)/.exec(from);
          const allowed =
            from === '#linux' ||
            from.startsWith('node:') ||
            from.startsWith('./') ||
            LIBRARIES.includes(from);
          expect(allowed || (other !== null && other[1]! <= slug), `${folder}/${slug}/${name}: ${from}`).toBe(
            true,
          );
        }
      }
    }
  });
});
