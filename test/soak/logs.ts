// Fifty containers write numbered lines faster than anyone reads: none is lost, none comes twice, and they stay in order.
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon } from '../support/daemon.ts';
import { engineClient } from '../support/engine-client.ts';
import { idleMegabytes, processorTime, residentMegabytes } from './measure.ts';
import type { Part } from './part.ts';

const CONTAINERS = 50;
/** Lines a second, of all together. */
const RATE = 10_000;
/** Megabytes that the daemon's memory may swing by. */
const SWING = 80;

/**
 * Writes `burst` lines ten times a second until it is told to stop; then it says how many there were. A trap runs between any
 * two commands, even between a line and its count, so this one only sets a variable.
 */
const WRITER = (burst: number) =>
  `stop=; trap 'stop=1' TERM; i=0; while [ -z "$stop" ]; do n=0; while [ $n -lt ${burst} ]; do echo line $i; i=$((i+1)); n=$((n+1)); done; usleep 90000; done; echo end $i; exit 7`;

/** @param options.amount seconds */
export const logs: Part = async ({ amount, idle, say }) => {
  const findings: string[] = [];
  await using daemon = await startDaemon();
  const engine = engineClient(daemon);
  const names = Array.from({ length: CONTAINERS }, (_, index) => `writer-${index}`);
  const burst = RATE / CONTAINERS / 10;
  for (const [index, name] of names.entries()) {
    // Half of them rotate at the default size, and keep enough files; half never do.
    const Config: Record<string, string> = index % 2 === 0 ? { 'max-file': '100' } : { 'max-size': '-1' };
    await engine.run(['sh', '-c', WRITER(burst)], {
      name,
      HostConfig: { LogConfig: { Type: 'json-file', Config } },
    });
  }
  const early = residentMegabytes(daemon);
  const used = processorTime(daemon);
  let most = early;
  const begun = performance.now();
  for (const until = begun + amount * 1000; performance.now() < until; await sleep(1000))
    most = Math.max(most, residentMegabytes(daemon));
  const seconds = (performance.now() - begun) / 1000;
  const busy = (processorTime(daemon) - used) / 1000 / seconds;
  let lines = 0;
  await Promise.all(names.map(name => engine.json('POST', `/containers/${name}/kill?signal=TERM`)));
  for (const name of names) {
    if ((await engine.wait(name)) !== 7) findings.push(`${name} did not end as it was told`);
    const { count, wrong } = await inOrder(engine.open('GET', `/containers/${name}/logs?stdout=1`));
    lines += count;
    if (wrong !== undefined) findings.push(`${name}: ${wrong}`);
    await engine.json('DELETE', `/containers/${name}`);
  }
  say(
    `${lines} lines, ${(lines / seconds).toFixed(0)} a second, all there and in order unless said otherwise`,
  );
  say(
    `the daemon used ${(100 * busy).toFixed(0)} % of a processor, and ${early.toFixed(0)} MB at first, ${most.toFixed(0)} MB at most`,
  );
  const late = await idleMegabytes(daemon, idle);
  say(`${late.toFixed(0)} MB afterwards`);
  if (idle > 0 && most > early + SWING)
    findings.push(`the daemon grew from ${early.toFixed(0)} to ${most.toFixed(0)} MB`);
  return findings;
};

/** Reads a multiplexed log as it comes: the lines are numbered from 0, and the last one says how many there were. */
async function inOrder(opened: Promise<AsyncIterable<Buffer>>): Promise<{ count: number; wrong?: string }> {
  let rest: Buffer = Buffer.alloc(0);
  let count = 0;
  let end: string | undefined;
  for await (const piece of await opened) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let at = 0;
    while (rest.length - at >= 8 && rest.length - at >= 8 + rest.readUInt32BE(at + 4)) {
      const length = rest.readUInt32BE(at + 4);
      const line = rest.toString('utf8', at + 8, at + 8 + length).trimEnd();
      at += 8 + length;
      if (line.startsWith('end ')) end = line;
      else if (line !== `line ${count++}`)
        return { count, wrong: `in place of line ${count - 1} came '${line}'` };
    }
    rest = rest.subarray(at);
  }
  return end === `end ${count}`
    ? { count }
    : { count, wrong: `${count} lines came, and the program says '${end}'` };
}
