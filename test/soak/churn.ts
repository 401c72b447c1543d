// Containers come and go, thousands of them, each with all that one can have: afterwards nothing has grown.
import { seeded } from '../fuzz/random.ts';
import { startDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';
import { grown, holdings, idleMegabytes } from './measure.ts';
import type { Part } from './part.ts';

/** Clients at a time. */
const CLIENTS = 4;
/** Megabytes that the daemon's memory may differ by, after the first tenth of the containers. */
const GROWTH = 15;

/** @param options.amount containers */
export const churn: Part = async ({ amount, seed, idle, say }) => {
  const findings: string[] = [];
  const random = seeded(seed);
  await using daemon = await startDaemon();
  const engine = engineClient(daemon);
  await engine.json('POST', '/networks/create', { Name: 'churn' });
  for (let index = 0; index < 20; index++) await life(engine, index);
  const before = holdings(daemon);
  let early: number | undefined;
  let number = 0;
  const begun = performance.now();
  while (number < amount) {
    const until = Math.min(number + Math.ceil(amount / 10), amount);
    const some = async () => {
      while (number++ < until) await life(engine, random.integer(20));
    };
    await Promise.all(Array.from({ length: CLIENTS }, some));
    number = until;
    const memory = await idleMegabytes(daemon, idle);
    early ??= memory;
    say(`${number} containers: ${memory.toFixed(0)} MB, ${(performance.now() - begun).toFixed(0)} ms`);
  }
  findings.push(...(await grown(daemon, before)));
  const late = await idleMegabytes(daemon, idle);
  say(`${late.toFixed(0)} MB at the end`);
  if (idle > 0 && early !== undefined && late > early + GROWTH)
    findings.push(`the daemon grew from ${early.toFixed(0)} to ${late.toFixed(0)} MB`);
  return findings;
};

/** One container, of one of twenty kinds. */
async function life(engine: EngineClient, kind: number): Promise<void> {
  const HostConfig = {
    NetworkMode: kind % 4 === 0 ? 'churn' : kind % 4 === 1 ? 'bridge' : 'none',
    ...(kind % 8 === 0 ? { PortBindings: { '80/tcp': [{}] } } : {}),
    ...(kind % 5 === 0 ? { Mounts: [{ Type: 'volume', Target: '/data' }] } : {}),
    ...(kind % 6 === 0 ? { AutoRemove: true } : {}),
  };
  const runs = kind % 3 === 0;
  const id = await engine.run(runs ? ['sleep', '1000'] : ['sh', '-c', 'echo hello; exit 5'], {
    Tty: kind % 7 === 0,
    OpenStdin: kind % 7 === 0,
    HostConfig,
  });
  if (runs) {
    const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, {
      Cmd: ['true'],
      AttachStdout: true,
    });
    await engine.ask('POST', `/exec/${Id}/start`, {});
  } else if (!HostConfig.AutoRemove) {
    const code = await engine.wait(id);
    if (code !== 5) throw new Error(`a container ended with ${code}`);
  }
  const { status, body } = await engine.ask('DELETE', `/containers/${id}?force=1&v=1`);
  if (status !== 204 && !(HostConfig.AutoRemove && (status === 404 || status === 409)))
    throw new Error(`${status} ${body}`);
}
