// The course's pages in a real browser: Debian's chromium without a window, driven by playwright-core.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { hasNpmClient, hasProgram, NPM_CLIENTS } from '../support/foreign-clients.ts';
import { learn } from './learn-command.ts';
import { startWeb, type Web } from './web-process.ts';

const CHROMIUM = 'chromium-headless-shell';
const hasBrowser = hasNpmClient('playwright-core') && hasNpmClient('axe-core') && hasProgram(CHROMIUM);

/** What is used of playwright-core, which is no dependency, and whose types are therefore not here. */
interface Tab {
  on(event: string, listener: (what: { text(): string; type(): string }) => void): void;
  goto(address: string): Promise<unknown>;
  evaluate<T>(script: string): Promise<T>;
  waitForSelector(selector: string): Promise<unknown>;
  click(selector: string): Promise<void>;
  keyboard: { press(key: string): Promise<void> };
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  emulateMedia(media: { colorScheme: 'light' | 'dark' }): Promise<void>;
  close(): Promise<void>;
}
interface Browser {
  newPage(options?: { permissions: string[] }): Promise<Tab>;
  close(): Promise<void>;
}

const PAGES = [
  'index.html',
  '07-cgroups.html',
  '02-pid-namespace.html',
  'exercise-02-pid-namespace.html',
  'tour.html',
  'misconceptions.html',
  'source/chapters/02-pid-namespace/box.ts.html',
];

let browser: Browser;
let web: Web;
let work: string;
let site: string;
/** What the browser complained about in the current tab. */
let complaints: string[];

beforeAll(async () => {
  if (!hasBrowser) return;
  mkdirSync(join(repository, '.cache'), { recursive: true });
  work = mkdtempSync(join(repository, '.cache/work-'));
  site = mkdtempSync(join(tmpdir(), 'course-site-'));
  learn(work, 'web', '--export', site);
  web = await startWeb(work);
  const { chromium } = await import(join(NPM_CLIENTS, 'node_modules/playwright-core/index.mjs'));
  browser = await chromium.launch({
    executablePath: `/usr/bin/${CHROMIUM}`,
    // Chromium refuses to sandbox itself for root.
    args: ['--no-sandbox', '--disable-gpu'],
  });
});
afterAll(async () => {
  if (!hasBrowser) return;
  await browser?.close();
  web.server.kill('SIGINT');
  await web.ended;
  for (const directory of [work, site]) rmSync(directory, { recursive: true });
});

async function open(address: string): Promise<Tab> {
  const tab = await browser.newPage({ permissions: ['clipboard-read', 'clipboard-write'] });
  complaints = [];
  tab.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  tab.on('pageerror', error => complaints.push(String(error)));
  await tab.goto(address);
  return tab;
}

const addresses = (path: string): [string, string][] => [
  ['as a file', pathToFileURL(join(site, path)).href],
  ['from the server', new URL(path, web.address).href],
];

describe.skipIf(!hasBrowser)('in a browser', () => {
  test.each(PAGES)('%s loads without a complaint, and fits a phone', async path => {
    for (const [how, address] of addresses(path)) {
      const tab = await open(address);
      const styled = "getComputedStyle(document.querySelector('main')).maxWidth !== 'none'";
      expect(await tab.evaluate(styled), `${how}: the style sheet applies`).toBe(true);
      await tab.setViewportSize({ width: 360, height: 740 });
      const width = await tab.evaluate<number>('document.documentElement.scrollWidth');
      expect(width, `${how}: width on a phone`).toBeLessThanOrEqual(360);
      expect(complaints, how).toEqual([]);
      await tab.close();
    }
  });

  test.each(PAGES)('axe finds no fault in %s, light or dark', async path => {
    const axe = readFileSync(join(NPM_CLIENTS, 'node_modules/axe-core/axe.min.js'), 'utf8');
    for (const colorScheme of ['light', 'dark'] as const) {
      const tab = await open(new URL(path, web.address).href);
      await tab.emulateMedia({ colorScheme });
      // What is folded is looked at too.
      await tab.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
      await tab.evaluate(`${axe}; undefined`);
      const faults = await tab.evaluate(
        'axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html]))',
      );
      expect(faults, colorScheme).toEqual([]);
      await tab.close();
    }
  });

  test('a button copies what was typed, and nothing that was printed', async () => {
    const tab = await open(new URL('02-pid-namespace.html', web.address).href);
    await tab.click('.transcript button');
    const copied = 'navigator.clipboard.readText()';
    expect(await tab.evaluate(copied)).toBe('node chapters/02-pid-namespace/box.ts\necho $$\nps -e\nexit\n');
    await tab.close();
  });

  test('the first Tab reaches a link that skips the navigation', async () => {
    const tab = await open(new URL('02-pid-namespace.html', web.address).href);
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');
    expect(await tab.evaluate('document.activeElement.id')).toBe('main');
    await tab.close();
  });

  test('a task turns green when its file is right, and says what is missing when it is not', async () => {
    learn(work, 'start', '2');
    learn(work, 'hint', '2', 'own-ps');
    const tab = await open(new URL('exercise-02-pid-namespace.html', web.address).href);
    await tab.click('[data-watch] button:enabled');
    const task = '[data-task="02-pid-namespace/own-ps"]';
    await tab.waitForSelector(`${task} .failed`);
    // The hint that the terminal has shown is open, and with it the next can be opened.
    expect(await tab.evaluate(`document.querySelectorAll('${task} .hint[open]').length`)).toBe(1);
    await tab.waitForSelector(`${task} .hint .hint > summary`);
    await tab.waitForSelector(`${task} dt:text("Promised")`);
    cpSync(join(repository, 'solutions/02-pid-namespace'), join(work, '02-pid-namespace'), {
      recursive: true,
    });
    await tab.waitForSelector(`${task} .passed`);
    expect(await tab.evaluate(`document.querySelector('${task} [data-broken]').hidden`)).toBe(true);
    expect(complaints).toEqual([]);
    await tab.goto(new URL('index.html', web.address).href);
    await tab.waitForSelector('.tally.passed:text("✓ 6 of 6 points")');
    await tab.close();
  });
});
