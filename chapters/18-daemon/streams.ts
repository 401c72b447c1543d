// Answers that last as long as a box: wait, attach, logs, events, stats.
// The engine: mini-docker/api/container-streams.ts and attachment.ts, mini-docker/engine/clients/
import { createConnection } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { allBoxes, type Box, type BoxEvent, events, Refusal, statusOf, wait } from './boxes.ts';
import { keeperSocket } from './keeper.ts';
import { follow, outputFile, outputSize } from './output.ts';
import type { Exchange } from './server.ts';
import { eventShape } from './shapes.ts';
import { statsOf } from './stats.ts';

/** A flag in a query: docker sends 1, other clients true. */
export const isTrue = (text: string | null): boolean => text !== null && !['', '0', 'false'].includes(text);

/** The head of the answer goes out at once: from then on the client knows that no exit can escape it. */
export async function answerWait({ stream, box, query, gone }: Exchange): Promise<void> {
  const ended = wait(box(), query.get('condition') || 'not-running', gone);
  const output = stream('application/json');
  const code = await ended;
  const unknown = code === undefined ? { Message: 'nobody saw how it ended' } : null;
  output.end(JSON.stringify({ StatusCode: code ?? 255, Error: unknown }));
}

/** Clients before 1.42 know only the one type, and ask for the box's terminal to know whether there are frames. */
function typeFor({ wanted }: Box, version: number): string {
  const raw = wanted.request.Tty || version < 42;
  return `application/vnd.docker.${raw ? 'raw' : 'multiplexed'}-stream`;
}

/** Resolves when the box ends for the next time. */
function nextEnd(box: Box, gone: AbortSignal): Promise<unknown> {
  return Promise.race([wait(box, 'next-exit', gone), wait(box, 'removed', gone)]);
}

export async function attach(exchange: Exchange): Promise<void> {
  const { query, gone, version } = exchange;
  const box = exchange.box();
  // Taken before the box is started: not a byte of its output can be missed.
  const from = isTrue(query.get('logs')) ? 0 : outputSize(box.name);
  const { input, output } = exchange.hijack(typeFor(box, version));
  if (isTrue(query.get('stdin'))) void passOn(input, box, gone);
  else input.resume();
  await show(output, box, { from, gone, over: nextEnd(box, gone) });
}

/** Passes on what a client types. A client may attach before the box is started; then it waits for that. */
async function passOn(input: Readable, box: Box, gone: AbortSignal): Promise<void> {
  if (statusOf(box) !== 'running') await started(box, gone);
  const line = createConnection({ path: keeperSocket(box.name), allowHalfOpen: true });
  line.write('stdin\n');
  await pipeline(input, line, { signal: gone }).catch(() => line.destroy());
}

function started({ wanted }: Box, gone: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const listen = ({ action, box }: BoxEvent): void => {
      if (action !== 'start' || box.wanted.id !== wanted.id) return;
      events.off('event', listen);
      resolve();
    };
    events.on('event', listen);
    gone.addEventListener('abort', () => events.off('event', listen));
  });
}

async function show(
  output: NodeJS.WritableStream,
  { name }: Box,
  { from, over, gone }: { from: number; over: Promise<unknown>; gone: AbortSignal },
): Promise<void> {
  const bytes = Readable.from(follow(outputFile(name), { from, over, signal: gone }));
  // The client has gone: nothing is left to do.
  await pipeline(bytes, output).catch(() => {});
}

export async function logs(exchange: Exchange): Promise<void> {
  const { query, version, gone, stream } = exchange;
  const box = exchange.box();
  const beyond = ['timestamps', 'since', 'until'].find(key => isTrue(query.get(key)));
  if (beyond !== undefined || !['all', '-1', null].includes(query.get('tail')))
    throw new Refusal(400, `this daemon shows a whole log, without ${beyond ?? 'tail'}: mini-docker can`);
  const isOver = !isTrue(query.get('follow')) || statusOf(box) !== 'running';
  const over = isOver ? Promise.resolve() : nextEnd(box, gone);
  await show(stream(typeFor(box, version)), box, { from: 0, over, gone });
}

export function showEvents({ stream, query, gone }: Exchange): void {
  if (query.has('since') || query.has('until'))
    throw new Refusal(400, 'this daemon remembers no events: mini-docker does');
  const output = stream('application/json');
  const listen = (event: BoxEvent): void => void output.write(`${JSON.stringify(eventShape(event))}\n`);
  events.on('event', listen);
  gone.addEventListener('abort', () => events.off('event', listen));
}

export async function showStats({ stream, box, query, gone }: Exchange): Promise<void> {
  const { name } = box();
  const output = stream('application/json');
  const forEver = isTrue(query.get('stream') ?? 'true');
  let before = statsOf(box());
  if (forEver || isTrue(query.get('one-shot'))) output.write(JSON.stringify(before));
  while (!gone.aborted && !(isTrue(query.get('one-shot')) && !forEver)) {
    await sleep(1000);
    const now = allBoxes().find(each => each.name === name);
    if (now === undefined) break;
    before = statsOf(now, before);
    output.write(`${JSON.stringify(before)}\n`);
    if (!forEver) break;
  }
  output.end();
}
