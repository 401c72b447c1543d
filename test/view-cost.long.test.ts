// What `view` costs: processor time from /proc/PID/stat, which other programs on the machine hardly change.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { descendants } from '../learn/sandbox/descendants.ts';
import { readStat } from '../mini-docker/linux/proc/stat.ts';
import { newsFrom, startServer } from './course/web-process.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { engineClient } from './support/engine-client.ts';

const CONTAINERS = 50;
/** Clock ticks of 10 ms in ten seconds that are 2 % of a processor. */
const MOST = 20;

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
  const engine = engineClient(daemon);
  for (let left = CONTAINERS; left > 0; left -= 1)
    await engine.run(['sleep', '1000'], { HostConfig: { NetworkMode: 'bridge', Memory: 64 << 20 } });
}, 180_000);
afterAll(() => daemon.stop(), 120_000);

function ticks(pid: number): number {
  const { userTime, systemTime } = readStat(pid)!;
  return userTime + systemTime;
}

/** The least of three times ten seconds: Node compiles and collects garbage now and then. */
async function leastTicks(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round += 1) {
    const before = ticks(pid);
    await sleep(10_000);
    least = Math.min(least, ticks(pid) - before);
  }
  return least;
}

test(`with ${CONTAINERS} containers, looks cost at most 2 % of a processor, in the daemon and in the command`, async () => {
  const web = await startServer([NODE, '--', MAIN, 'view', '--web'], { DOCKER_HOST: daemon.host });
  try {
    const news = newsFrom(new URL('events?columns=120', web.address));
    await news.next();
    // Read all the time, as a browser does.
    const reading = (async () => {
      for await (const { name } of news) expect(name).toBe('picture');
    })().catch(() => {});
    await sleep(5000);
    expect(await leastTicks(daemon.pid)).toBeLessThanOrEqual(MOST);
    expect(await leastTicks(web.server.pid!)).toBeLessThanOrEqual(MOST);
    web.server.kill('SIGINT');
    await reading;
  } finally {
    web.server.kill('SIGINT');
    await web.ended;
  }
}, 120_000);

test('the window in the terminal costs at most 2 % of a processor', async () => {
  // script(1) gives it a terminal.
  const view = spawn('script', ['-qec', `exec ${NODE} -- ${MAIN} view`, '/dev/null'], {
    env: { ...process.env, DOCKER_HOST: daemon.host, TERM: 'xterm', LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await new Promise(resolve => view.stdout.once('data', resolve));
    view.stdout.resume();
    await sleep(5000);
    expect(await leastTicks(descendants([view.pid!]).at(-1)!)).toBeLessThanOrEqual(MOST);
  } finally {
    view.stdin.write('q');
    await new Promise(resolve => view.once('exit', resolve));
  }
}, 120_000);
