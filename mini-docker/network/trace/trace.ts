// `network trace`: follows packets by nftables' trace (nft(8), "meta nftrace").
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ExpectedError, notImplemented } from '../../formats/errors.ts';
import type { MissedPackets, TracedPacket } from '../../formats/network-trace.ts';
import { openPty } from '../../linux/pty.ts';
import { PtyStream } from '../../linux/pty-stream.ts';
import type { Nft } from '../nft.ts';
import { decodeEvent } from './events.ts';
import { type Names, PREFIX, packetAssembler } from './packets.ts';
import { type TraceTarget, traceTables } from './ruleset.ts';

/** Packets that wait for a slow reader; more are dropped, and counted. */
const MOST_WAITING = 10_000;

/** Milliseconds in which the loss of events is told once. */
const ONCE_IN = 1000;
/** Bytes that are kept of what nft says when it cannot. */
const MOST_COMPLAINT = 500;

/** Ends with the signal. The rules that mark packets are removed then; those of a killed daemon by the next trace. */
export async function* tracePackets(options: {
  nft: Nft;
  target: TraceTarget;
  names: Names;
  signal: AbortSignal;
}): AsyncGenerator<TracedPacket | MissedPackets> {
  const { nft, target, names, signal } = options;
  const observer = PREFIX + randomBytes(4).toString('hex');
  live.add(observer);
  const waiting: (TracedPacket | MissedPackets)[] = [];
  let wake = () => {};
  let told = Number.NEGATIVE_INFINITY;
  const miss = (count: number | null): void => {
    if (count === null && performance.now() - told < ONCE_IN) return;
    if (count === null) told = performance.now();
    const last = waiting.at(-1);
    if (last === undefined || !('missed' in last)) waiting.push({ missed: count });
    else last.missed = count === null || last.missed === null ? null : last.missed + count;
    wake();
  };
  const packets = packetAssembler({
    observer,
    names,
    done(packet) {
      if (waiting.length >= MOST_WAITING) return miss(1);
      waiting.push(packet);
      wake();
    },
  });
  // Into a pipe nft would write only once it has 4 KB.
  const terminal = openPty();
  // Its controlling terminal: the kernel ends it with the daemon, also with one that is killed.
  const monitor = spawn('setsid', ['-c', 'nft', 'monitor', 'trace'], {
    stdio: [terminal.slave, terminal.slave, 'pipe'],
    env: nft.environment,
  });
  closeSync(terminal.slave);
  const output = new PtyStream(terminal.master);
  let complaint = '';
  monitor.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, MOST_COMPLAINT);
  });
  const failed = new Promise<never>((_, reject) => {
    monitor.once('error', reject);
    monitor.once('close', () =>
      reject(notImplemented(`nft cannot trace packets here: ${complaint.trim() || 'it ended'}`)),
    );
  });
  failed.catch(() => {});
  createInterface({ input: output }).on('line', line => {
    const event = decodeEvent(line);
    if (event !== undefined) packets.add(event);
    // The kernel's queue was full: nft goes on, and does not know what it has not got.
    else if (line.includes('lost some netlink events')) miss(null);
  });
  let isOver = false;
  const over = Promise.race([failed, aborted(signal)]).finally(() => {
    isOver = true;
    wake();
  });
  over.catch(() => {});
  try {
    await removeLeftovers(nft);
    const { inet, bridge } = traceTables(observer, target);
    await nft.run(inet);
    // A kernel without nf_tables_bridge shows what is routed only.
    await nft.run(bridge).catch(() => {});
    for (;;) {
      while (waiting.length > 0) yield waiting.shift()!;
      if (isOver) break;
      await new Promise<void>(resolve => {
        wake = resolve;
        if (waiting.length > 0 || isOver) resolve();
      });
    }
    await over;
  } finally {
    monitor.kill();
    output.destroy();
    packets.close();
    live.delete(observer);
    await remove(nft, observer);
  }
}

/** Names of the traces of this daemon. */
const live = new Set<string>();

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function removeLeftovers(nft: Nft): Promise<void> {
  for (const name of await nft.tables()) {
    if (name.startsWith(PREFIX) && !live.has(name)) await remove(nft, name);
  }
}

async function remove(nft: Nft, name: string): Promise<void> {
  for (const family of ['inet', 'bridge'])
    await nft.run(`add table ${family} ${name}\ndelete table ${family} ${name}\n`).catch((error: Error) => {
      if (!(error instanceof ExpectedError)) throw error;
    });
}
