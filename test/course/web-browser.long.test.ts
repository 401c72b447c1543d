// The course's pages in a real browser: Debian's chromium without a window, driven by playwright-core.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';
import { hasNpmClient, hasProgram, NPM_CLIENTS } from '../support/foreign-clients.ts';
import { learn } from './learn-command.ts';
import { startServer, startWeb, type Web } from './web-process.ts';

const CHROMIUM = 'chromium-headless-shell';
const hasBrowser = hasNpmClient('playwright-core') && hasNpmClient('axe-core') && hasProgram(CHROMIUM);

/** What is used of playwright-core, which is no dependency, and whose types are therefore not here. */
interface Tab {
  on(event: string, listener: (what: { text(): string; type(): string }) => void): void;
  goto(address: string): Promise<unknown>;
  evaluate<T>(script: string): Promise<T>;
  waitForSelector(selector: string, options?: { state: 'attached' }): Promise<unknown>;
  focus(selector: string): Promise<void>;
  click(selector: string): Promise<void>;
  keyboard: { press(key: string): Promise<void> };
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  emulateMedia(media: { colorScheme: 'light' | 'dark' }): Promise<void>;
  setDefaultTimeout(milliseconds: number): void;
  close(): Promise<void>;
}
interface Browser {
  newPage(options?: { permissions: string[] }): Promise<Tab>;
  close(): Promise<void>;
}

const AXE = join(NPM_CLIENTS, 'node_modules/axe-core/axe.min.js');

/** What axe finds in a tab, light and dark. */
async function faultsIn(tab: Tab): Promise<unknown[]> {
  const found: unknown[] = [];
  await tab.evaluate(`${readFileSync(AXE, 'utf8')}; undefined`);
  for (const colorScheme of ['light', 'dark'] as const) {
    await tab.emulateMedia({ colorScheme });
    found.push(
      ...(await tab.evaluate<unknown[]>(
        'axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html]))',
      )),
    );
  }
  return found;
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
  // Sooner than the test's, to say what was waited for.
  tab.setDefaultTimeout(15_000);
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
    const tab = await open(new URL(path, web.address).href);
    // What is folded is looked at too.
    await tab.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
    expect(await faultsIn(tab)).toEqual([]);
    await tab.close();
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

  test('the picture of the sandbox shows what a shell in it does, and lights it up', async () => {
    const tab = await open(new URL('sandbox.html', web.address).href);
    await tab.waitForSelector('.picture svg');
    const argv = ['shell', 'sh', '-c', 'sleep 4711 & read line; unshare --uts sleep 4712 & read line'];
    const shell = spawn(join(repository, 'bin/learn'), argv, {
      env: { ...process.env, LEARN_WORK: work },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    try {
      await tab.waitForSelector('.picture text:text-is("sleep 4711")');
      expect(await faultsIn(tab)).toEqual([]);
      shell.stdin.write('\n');
      await tab.waitForSelector('.picture .lit:has-text("one more,")');
    } finally {
      shell.stdin.end();
    }
    await tab.waitForSelector('.picture:not(:has-text("4711"))');
    expect(complaints).toEqual([]);
    await tab.close();
  });

  describe('view --web', () => {
    let daemon: TestDaemon;
    let engine: EngineClient;
    let view: Web;
    beforeAll(async () => {
      daemon = await startDaemon();
      engine = engineClient(daemon);
      view = await startServer([NODE, '--', MAIN, 'view', '--web'], { DOCKER_HOST: daemon.host });
    });
    afterAll(async () => {
      view?.server.kill('SIGINT');
      await view?.ended;
      await daemon.stop();
    });
    afterEach(async () => {
      for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
        await engine.ask('DELETE', `/containers/${Id}?force=1`);
    });
    const card = (name: string) => `.picture a:has-text("${name}")`;

    test('shows a container that starts and drops it when it is gone; the keyboard chooses', async () => {
      const tab = await open(view.address.href);
      await tab.waitForSelector('.picture svg');
      const first = await engine.run(['sleep', '4711'], { name: 'first' });
      await tab.waitForSelector(`${card('first')}[aria-current]`);
      await engine.run(['sleep', '4712'], { name: 'second' });
      await tab.waitForSelector('.picture text:text-is("sleep 4712")');
      await tab.waitForSelector('[data-news]:text("second: running")');
      // The newest is the first card; the arrow leads to the other, and Enter opens it.
      await tab.focus(card('second'));
      await tab.keyboard.press('ArrowRight');
      await tab.keyboard.press('Enter');
      await tab.waitForSelector('.picture text:text-is("sleep 4711")');
      await tab.waitForSelector('[data-name]:text-is("first")');
      expect(await tab.evaluate('document.activeElement.textContent')).toContain('first');
      await engine.ask('DELETE', `/containers/${first}?force=1`);
      await tab.waitForSelector(`.picture:not(:has-text("first"))`);
      await tab.waitForSelector('[data-news]:text("first: removed")');
      await tab.waitForSelector(`${card('second')}[aria-current]`);
      expect(complaints).toEqual([]);
      await tab.close();
    });

    test('asks before it stops a container, and shows what came of it', async () => {
      const id = await engine.run(['sleep', '4711'], { name: 'stopped', HostConfig: { Init: true } });
      const tab = await open(view.address.href);
      await tab.waitForSelector(card('stopped'));
      const status = async () => (await engine.inspect(id)).State.Status;
      await tab.click('[data-action=stop]:enabled');
      await tab.click('dialog [data-no]');
      expect(await status()).toBe('running');
      await tab.click('[data-action=stop]');
      await tab.click('dialog [data-yes]');
      await tab.waitForSelector('.output h2:text("stop stopped: done")');
      expect(await status()).toBe('exited');
      await tab.click('[data-action=why]');
      await tab.waitForSelector('.output pre:text("stop")');
      expect(complaints).toEqual([]);
      await tab.close();
    });

    test('axe finds no fault, with a hostile container too; it fits a phone, and no markup runs', async () => {
      const hostile = '<img src=x onerror=document.title="hacked"><script>document.title="hacked"</script>';
      await engine.run(['sh', '-c', `echo '${hostile}'; sleep 1000; : '${hostile}'`], {
        name: 'hostile',
        HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8097' }] } },
      });
      const tab = await open(view.address.href);
      await tab.waitForSelector('.picture text:has-text("onerror")');
      await tab.click('[data-action=logs]');
      await tab.waitForSelector('.output pre:text("onerror")');
      expect(await faultsIn(tab)).toEqual([]);
      expect(await tab.evaluate('document.title')).toBe('Containers – mini-docker view');
      await tab.setViewportSize({ width: 360, height: 740 });
      await tab.waitForSelector('.picture svg[viewBox^="0 0 3"]');
      expect(await tab.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      expect(complaints).toEqual([]);
      await tab.close();
    });

    test('says that the daemon has ended, and goes on when it is back', async () => {
      const tab = await open(view.address.href);
      await tab.waitForSelector('.picture svg');
      await daemon.end('SIGTERM');
      await tab.waitForSelector('[data-state]:text("daemon")');
      await daemon.begin();
      await tab.waitForSelector('[data-state]:empty', { state: 'attached' });
      await engine.run(['sleep', '4711'], { name: 'again' });
      await tab.waitForSelector(card('again'));
      await tab.close();
    });
  });
});
