// `network trace`: follows packets by nftables' trace (nft(8), "meta nftrace").
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ExpectedError } from '../../formats/errors.ts';
import type { TracedPacket } from '../../formats/network-trace.ts';
import { openPty } from '../../linux/pty.ts';
import { PtyStream } from '../../linux/pty-stream.ts';
import type { Nft } from '../nft.ts';
import { decodeEvent } from './events.ts';
import { type Names, PREFIX, packetAssembler } from './packets.ts';
import { type TraceTarget, traceTables } from './ruleset.ts';

/** Packets that wait for a slow reader; more are dropped, and counted. */
const MOST_WAITING = 10_000;

/** Ends with the signal. The rules that mark packets are removed then; those of a killed daemon by the next trace. */
export async function* tracePackets(options: {
  nft: Nft;
  target: TraceTarget;
  names: Names;
  signal: AbortSignal;
}): AsyncGenerator<TracedPacket> {
  const { nft, target, names, signal } = options;
  const observer = PREFIX + randomBytes(4).toString('hex');
  live.add(observer);
  const waiting: TracedPacket[] = [];
  let wake = () => {};
  const packets = packetAssembler({
    observer,
    names,
    done(packet) {
      if (waiting.length < MOST_WAITING) waiting.push(packet);
      wake();
    },
  });
  // Into a pipe nft would write only once it has 4 KB.
  const terminal = openPty();
  const monitor = spawn('nft', ['monitor', 'trace'], {
    stdio: ['ignore', terminal.slave, 'ignore'],
    env: nft.environment,
  });
  closeSync(terminal.slave);
  const output = new PtyStream(terminal.master);
  const ended = new Promise<void>(resolve => monitor.once('close', () => resolve()));
  const failed = new Promise<never>((_, reject) => monitor.once('error', reject));
  failed.catch(() => {});
  createInterface({ input: output }).on('line', line => {
    const event = decodeEvent(line);
    if (event !== undefined) packets.add(event);
  });
  let isOver = false;
  const over = Promise.race([failed, ended, aborted(signal)]).finally(() => {
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
