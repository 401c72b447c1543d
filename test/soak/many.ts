// Thousands of idle containers at once: what each costs in memory, and whether the last starts as fast as the first.
import { startDaemon } from '../support/daemon.ts';
import { engineClient } from '../support/engine-client.ts';
import { grown, holdings, idleMegabytes, median, processorTime } from './measure.ts';
import type { Part } from './part.ts';

/** Containers on one network; the kernel's bridges have at most 1,023 ports. */
const ON_ONE_NETWORK = 1000;
/** Megabytes. */
const MOST_MEMORY = 250;
/** Requests at a time. */
const AT_ONCE = 8;

/** @param options.amount containers; two fifths of them are on networks */
export const many: Part = async ({ amount, idle, say }) => {
  const findings: string[] = [];
  await using daemon = await startDaemon({ runInMemory: true });
  const engine = engineClient(daemon);
  const networks = Array.from(
    { length: Math.ceil((amount * 0.4) / ON_ONE_NETWORK) },
    (_, index) => `many-${index}`,
  );
  // One of each kind has been there before: what is made once stays.
  for (const Name of networks) await engine.json('POST', '/networks/create', { Name });
  const once = await engine.run(['true'], { HostConfig: { NetworkMode: networks[0] } });
  await engine.wait(once);
  await engine.json('DELETE', `/containers/${once}`);
  const before = holdings(daemon);
  const atRest = await idleMegabytes(daemon, idle);

  const ids: string[] = [];
  const share = Math.max(Math.floor(amount / 10), 1);
  /** Milliseconds of the daemon's processor time for a start, in each tenth: other programs do not count in it. */
  const work: number[] = [];
  const times: number[] = [];
  let used = processorTime(daemon);
  for (let index = 0; index < amount; index++) {
    const network = index % 5 < 2 ? networks[Math.floor((index * 0.4) / ON_ONE_NETWORK)] : undefined;
    const begun = performance.now();
    ids.push(await engine.run(['sleep', '100000'], { HostConfig: { NetworkMode: network ?? 'none' } }));
    times.push(performance.now() - begun);
    if ((index + 1) % share !== 0) continue;
    const now = processorTime(daemon);
    work.push((now - used) / share);
    used = now;
    say(
      `${index + 1} containers: ${median(times.slice(-share)).toFixed(1)} ms each, ${work.at(-1)!.toFixed(1)} of them the daemon's`,
    );
  }
  const [first, last] = [work[0]!, work.at(-1)!];
  // The first ones are compiled, and run on a cold cache.
  if (last > 2 * first + 10)
    findings.push(
      `a start took the daemon ${first.toFixed(1)} ms at first and ${last.toFixed(1)} ms at last`,
    );

  const begun = performance.now();
  const listed = await engine.json<unknown[]>('GET', '/containers/json');
  say(`ps of ${listed.length}: ${(performance.now() - begun).toFixed(0)} ms`);
  if (listed.length !== amount) findings.push(`${listed.length} of ${amount} containers are listed`);
  const withAll = await idleMegabytes(daemon, idle);
  say(`the daemon has ${withAll.toFixed(0)} MB with them, and had ${atRest.toFixed(0)} MB`);
  if (withAll > MOST_MEMORY)
    findings.push(`the daemon has ${withAll.toFixed(0)} MB with ${amount} containers`);

  const usedBefore = processorTime(daemon);
  const removal = performance.now();
  let at = 0;
  const removeSome = async () => {
    while (at < ids.length) await engine.json('DELETE', `/containers/${ids[at++]}?force=1`);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, removeSome));
  const seconds = (performance.now() - removal) / 1000;
  const each = (processorTime(daemon) - usedBefore) / amount;
  say(
    `removed in ${seconds.toFixed(1)} s: ${((seconds / amount) * 1000).toFixed(1)} s for 1,000, ${each.toFixed(1)} ms of each the daemon's`,
  );
  findings.push(...(await grown(daemon, before)));
  say(`afterwards the daemon has ${(await idleMegabytes(daemon, idle)).toFixed(0)} MB`);
  return findings;
};
