// The daemon is killed with SIGKILL at random moments while clients change everything it keeps. The next one must have kept
// all that was answered, and nothing that was half made.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../fuzz/random.ts';
import { contextOf } from '../support/building.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { startRegistry } from '../support/registry.ts';
import { type Ask, askOf, errorIn, json } from './engine-requests.ts';
import { Facts } from './facts.ts';
import { grown, holdings } from './measure.ts';
import type { Part } from './part.ts';
import { verify } from './verify.ts';
import { type Client, contentOf, work } from './workload.ts';

const CLIENTS = ['client0', 'client1', 'client2', 'client3'];
/** Milliseconds that a daemon lives, at most. */
const LONGEST = 600;

/** @param options.amount kills */
export const kills: Part = async ({ amount, seed, say }) => {
  const findings: string[] = [];
  const random = seeded(seed);
  await using daemon = await startDaemon();
  const ask = askOf(daemon.socket);
  const files = mkdtempSync(join(tmpdir(), 'mini-docker-soak-'));
  const registry = await startRegistry({ directory: files, port: 5000, network: daemon.namespaces });
  try {
    for (const name of CLIENTS) await publish(ask, `${registry.host}/soak-${name}:soak`);
    await warmUp(ask);
    const facts = new Facts();
    const before = holdings(daemon);
    for (let round = 1; round <= amount && findings.length === 0; round++) {
      const stop = new AbortController();
      const clients = CLIENTS.map(
        (name): Client => ({
          name,
          ask,
          facts,
          registry: registry.host,
          random: seeded(random.integer(2 ** 31)),
          wrong: finding => findings.push(`round ${round}: ${finding}`),
        }),
      );
      const working = clients.map(client => work(client, stop.signal));
      await sleep(random.integer(LONGEST));
      await daemon.end('SIGKILL');
      stop.abort();
      await Promise.all(working);
      await daemon.begin();
      const wrong = [
        ...(await verify({ ask, facts, rebooted: false, images: 2 })),
        ...(await halfMade(daemon, ask)),
      ];
      findings.push(...wrong.map(each => `round ${round}: ${each}`));
      if (round % Math.ceil(amount / 20) === 0) say(`${round} kills; ${summary(facts)}`);
    }
    await removeEverything(ask, facts);
    findings.push(...(await grown(daemon, before)));
  } finally {
    await registry.stop();
    rmSync(files, { recursive: true });
  }
  return findings;
};

const summary = (facts: Facts): string =>
  (['container', 'running', 'image', 'network', 'volume'] as const)
    .map(kind => `${kind} ${facts.names(kind, 'there').length}`)
    .join(', ');

/** An image in the registry that the daemon does not have. */
async function publish(ask: Ask, tag: string): Promise<void> {
  const content = contentOf(tag.replace(/^.*\//, '').replace(/:soak$/, ''));
  const context = contextOf({ Dockerfile: 'FROM busybox\nCOPY soak /soak\n', soak: content });
  for (const [method, path, body] of [
    ['POST', `/build?t=${tag}`, context],
    ['POST', `/images/${tag}/push`, undefined],
    ['DELETE', `/images/${tag}`, undefined],
    ['POST', '/build/prune?all=1', undefined],
  ] as const) {
    const answer = await ask(method, path, body);
    const error = answer === undefined ? 'no answer' : errorIn(answer);
    if (error !== undefined) throw new Error(`${method} ${path}: ${error}`);
  }
}

/** What the first container on the default network makes stays: its bridge, its rules. */
async function warmUp(ask: Ask): Promise<void> {
  const { Id } = await json<{ Id: string }>(ask, 'POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['true'],
  });
  await json(ask, 'POST', `/containers/${Id}/start`);
  await json(ask, 'DELETE', `/containers/${Id}?force=1`);
}

/** What a killed daemon had begun and the next one must have taken back: temporary names, and things without an owner. */
async function halfMade(daemon: TestDaemon, ask: Ask): Promise<string[]> {
  const { dataRoot, runDir } = daemon;
  const look = async (): Promise<string[]> => {
    const containers = await json<{ Id: string; State: string }[]>(ask, 'GET', '/containers/json?all=1');
    const running = new Set(containers.filter(each => each.State === 'running').map(each => each.Id));
    const all = new Set(containers.map(each => each.Id));
    const names = (path: string) => (existsSync(path) ? readdirSync(path) : []);
    const strangers = (path: string, known: ReadonlySet<string>) =>
      names(path)
        .filter(name => !known.has(name.replace(/\.json(\.last)?$/, '')))
        .map(name => `${path}/${name}`);
    return [
      ...strangers(join(dataRoot, 'containers'), all),
      ...strangers(join(runDir, 'containers'), running),
      ...strangers(join(runDir, 'connections'), running),
      ...names(join(dataRoot, 'volumes')).filter(name => name.startsWith('.')),
      ...names(join(dataRoot, 'images/tmp')).map(name => `images/tmp/${name}`),
    ].map(each => `left half made: ${each}`);
  };
  let left = await look();
  for (const deadline = Date.now() + 10_000; left.length > 0 && Date.now() < deadline; left = await look())
    await sleep(100);
  return left;
}

async function removeEverything(ask: Ask, facts: Facts): Promise<void> {
  for (const [kind, path, query] of [
    ['container', 'containers', '?force=1'],
    ['network', 'networks', ''],
    ['volume', 'volumes', ''],
    ['image', 'images', '?force=1'],
  ] as const)
    for (const name of facts.names(kind, 'there'))
      if (!['bridge', 'host', 'none', 'busybox:latest'].includes(name))
        await json(ask, 'DELETE', `/${path}/${name}${query}`);
  await json(ask, 'POST', '/build/prune?all=1');
}
