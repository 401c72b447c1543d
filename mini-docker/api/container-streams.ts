// Routes whose answers last as long as the container: attach, logs, stats.

import type { LogEntry, LogsOptions } from '../engine/core/engine.ts';
import { badParameter } from '../formats/errors.ts';
import { encodeFrame } from '../formats/stream-frames.ts';
import { encodeTimestamp } from '../formats/timestamp.ts';
import { carry, streamType } from './attachment.ts';
import { notSupported } from './errors.ts';
import { statsFor } from './old-versions.ts';
import { jsonLine, pump } from './pump.ts';
import { detachKeys, flag, text, time } from './query.ts';
import { type Call, json, type Route, route } from './router.ts';

export const containerStreamRoutes: Route[] = [
  { method: 'POST', pattern: '/containers/{id}/attach', hijacks: true, handle: attach },
  route('GET', '/containers/{id}/attach/ws', async () => {
    throw notSupported('attaching through a WebSocket is not supported: use POST /containers/{id}/attach');
  }),
  route('GET', '/containers/{id}/logs', logs),
  route('GET', '/containers/{id}/stats', stats),
];

async function attach(call: Call) {
  const { engine, params, query, version } = call;
  const keys = detachKeys(text(query, 'detachKeys'));
  const attachment = await engine.containers.attach(params.id!, {
    stdin: flag(query, 'stdin'),
    stdout: flag(query, 'stdout'),
    stderr: flag(query, 'stderr'),
    logs: flag(query, 'logs'),
    stream: flag(query, 'stream'),
  });
  try {
    const connection = await call.hijack(streamType({ tty: attachment.tty, version }));
    await carry({ attachment, connection, detachKeys: keys });
  } finally {
    attachment.detach();
  }
  return undefined;
}

async function logs(call: Call) {
  const { engine, params, query, version } = call;
  const options: LogsOptions = { stdout: flag(query, 'stdout'), stderr: flag(query, 'stderr') };
  if (!options.stdout && !options.stderr) {
    throw badParameter('Bad parameters: you must choose at least one stream');
  }
  const since = time(query, 'since');
  const until = time(query, 'until');
  if (since !== undefined) options.since = since;
  // Clients send 0 for no limit.
  if (until) options.until = until;
  const tail = text(query, 'tail') ?? 'all';
  // Like dockerd, anything that is not a number means all lines.
  if (/^\d{1,15}$/.test(tail)) options.tail = Number(tail);
  options.follow = flag(query, 'follow');
  const signal = call.whenGone();
  options.signal = signal;
  const { tty, details, entries } = await engine.containers.logs(params.id!, options);
  const out = call.stream({ 'Content-Type': streamType({ tty, version }) });
  const timestamps = flag(query, 'timestamps');
  const before = flag(query, 'details') ? `${encodeDetails(details)} ` : '';
  try {
    await pump(entries, out, entry => encodeLog(entry, { tty, timestamps, before }));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

/** 'a=b,c=d', sorted by key, with special characters escaped as in a query. */
const encodeDetails = (details: Record<string, string>): string =>
  Object.keys(details)
    .sort()
    .map(key => String(new URLSearchParams([[key, details[key]!]])))
    .join(',');

function encodeLog(
  entry: LogEntry,
  { tty, timestamps, before }: { tty: boolean; timestamps: boolean; before: string },
): Uint8Array {
  const { stream, time, data } = entry;
  const start = (timestamps ? `${encodeTimestamp(time)} ` : '') + before;
  const line = start === '' ? data : Buffer.concat([Buffer.from(start), data]);
  return tty ? line : encodeFrame(stream, line);
}

async function stats(call: Call) {
  const { engine, params, query, version } = call;
  const stream = flag(query, 'stream', true);
  const oneShot = flag(query, 'one-shot');
  if (stream && oneShot) throw badParameter('cannot have stream=true and one-shot=true');
  const readings = await engine.containers.stats(params.id!, { stream, oneShot });
  if (!stream) {
    for await (const reading of readings) return json(statsFor(reading, version));
    throw new Error('the container gave no reading');
  }
  const out = call.stream({ 'Content-Type': 'application/json' });
  await pump(readings, out, reading => jsonLine(statsFor(reading, version)));
  return undefined;
}
