// `learn web --export`: the course as a static site.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chapters } from '../../learn/course.ts';
import { hintsOf } from '../../learn/hints.ts';
import { repository } from '../../learn/repository.ts';
import { learn } from './learn-command.ts';

let site: string;
let pages: string[];
const page = (path: string): string => readFileSync(join(site, path), 'utf8');

beforeAll(() => {
  site = mkdtempSync(join(tmpdir(), 'course-site-'));
  expect(learn(site, 'web', '--export', site).stderr).toBe('');
  pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.html'));
});
afterAll(() => rmSync(site, { recursive: true }));

test('there is a page for each chapter and each exercise, and the map links to both', () => {
  for (const { slug } of chapters()) {
    for (const path of [`${slug}.html`, `exercise-${slug}.html`]) {
      expect(pages).toContain(path);
      expect(page('index.html')).toContain(`href="${path}"`);
    }
  }
});

test('every link leads to a file of the export, and to an anchor that is there', () => {
  const broken = pages.flatMap(path => {
    const links = [...page(path).matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link!);
    return links
      .filter(link => !/^(?:https?|data):/.test(link))
      .filter(link => {
        const [file, anchor] = link.split('#') as [string, string?];
        const target = file === '' ? join(site, path) : join(site, dirname(path), file);
        if (!target.startsWith(site) || !existsSync(target)) return true;
        return anchor !== undefined && !readFileSync(target, 'utf8').includes(` id="${anchor}"`);
      })
      .map(link => `${path}: ${link}`);
  });
  expect(broken).toEqual([]);
});

test('every page has a language, a title, landmarks, one h1, and no heading level is left out', () => {
  for (const path of pages) {
    const text = page(path);
    expect(text, path).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(text, path).toMatch(/<title>[^<]+ – mini-docker<\/title>/);
    for (const landmark of ['<header>', '<main id="main"', '<footer>', '<nav aria-label="Course">'])
      expect(text.split(landmark), `${landmark} in ${path}`).toHaveLength(2);
    const levels = [...text.matchAll(/<h([1-6])\b/g)].map(([, level]) => Number(level));
    expect(
      levels.filter(level => level === 1),
      path,
    ).toHaveLength(1);
    expect(levels[0], path).toBe(1);
    expect(
      levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1),
      path,
    ).toEqual([]);
    const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      path,
    ).toEqual([]);
  }
});

test('a page loads nothing from elsewhere, contains no script or style, and forbids both', () => {
  for (const path of pages) {
    const text = page(path);
    expect(text, path).toMatch(
      /<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;/,
    );
    const loaded = [...text.matchAll(/<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="([^"]*)"/g)];
    expect(loaded.map(([, from]) => from!.replace(/^(?:\.\.\/)+/, '')).sort(), path).toEqual([
      'data:,',
      'page.js',
      'style.css',
    ]);
    expect(text.replace(/<script src="[^"]*" defer><\/script>/, ''), path).not.toMatch(
      /<script|<style|<[^>]* (?:on\w+|style)="/,
    );
  }
  expect(page('style.css')).not.toMatch(/url\(|@import/);
});

describe('a chapter', () => {
  test('has its diagrams as they are, and its code in colours', () => {
    const text = page('02-pid-namespace.html');
    expect(text).toContain('┌──────────┴──────────────┐');
    expect(text).toContain('<span class="keyword">const</span> pid = ');
  });

  test('marks what is typed, over several lines too, and not what is printed', () => {
    const typed = (path: string) => [...page(path).matchAll(/<kbd>(.*?)<\/kbd>/g)].map(([, text]) => text);
    expect(typed('02-pid-namespace.html').slice(0, 4)).toEqual([
      'node chapters/02-pid-namespace/box.ts',
      'echo $$',
      'ps -e',
      'exit',
    ]);
    expect(typed('07-cgroups.html').find(text => text?.includes('(sleep 0.2; true)'))).toMatch(/&amp; \\$/);
  });

  test('has an answer for each question, folded', () => {
    const text = page('02-pid-namespace.html');
    expect(text.match(/<details><summary>Answer \d/g)).toHaveLength(3);
  });

  test('links its files, and those that it names, to their source', () => {
    const text = page('02-pid-namespace.html');
    expect(text).toContain('href="source/chapters/02-pid-namespace/own-proc.ts.html"');
    for (const name of ['box', 'step-1'])
      expect(text).toContain(`<a href="source/chapters/02-pid-namespace/${name}.ts.html"><code>`);
    expect(text).toContain('href="source/mini-docker/runtime/mounts.ts.html"');
  });
});

test('an exercise has all hints of its tasks, each within the one before, and a solution, folded', () => {
  const text = page('exercise-02-pid-namespace.html');
  const hints = hintsOf(readFileSync(join(repository, 'exercises/02-pid-namespace/hints.md'), 'utf8'));
  expect([...hints.values()].flat().length).toBe(text.match(/<details class="hint">/g)?.length);
  const [first] = text.split('</details>');
  expect(first!.match(/<summary>Hint \d of 3/g)).toEqual([
    '<summary>Hint 1 of 3',
    '<summary>Hint 2 of 3',
    '<summary>Hint 3 of 3',
  ]);
  expect(text).toContain('<details><summary><code>own-ps.ts</code></summary>');
});

test('a directory that contains other files is left alone', () => {
  const other = mkdtempSync(join(tmpdir(), 'course-site-'));
  try {
    writeFileSync(join(other, 'index.html'), 'Dear');
    const { status, stderr } = learn(site, 'web', '--export', other);
    expect([status, stderr]).toEqual([1, expect.stringContaining('contains other files')]);
    expect(readdirSync(other)).toEqual(['index.html']);
  } finally {
    rmSync(other, { recursive: true });
  }
});
