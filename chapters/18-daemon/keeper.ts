// The keeper of a box that has clients: chapter 12's, which also carries the box's input and output. Clients come and go,
// and so does the daemon. The keeper stays. The engine: mini-docker/runtime/waiter.ts, 400 bytes of machine code, and mini-docker/engine/streams/
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { format } from 'node:util';
import { dup3, PtyStream, pipe, readableOf, resizePty, writableOf } from '#linux';
import { type Terminal, terminal } from '../06b-terminal/terminal.ts';
import { keep } from '../12-stay/keeper.ts';
import { frame, outputFile, STREAM } from './output.ts';
import { readWanted } from './wanted.ts';

/** The keeper's telephone. A call is one line, `stdin` or `resize ROWS COLUMNS`; after `stdin` follow the bytes. */
export function keeperSocket(name: string): string {
  return `/tmp/box/containers/${name}/keeper.sock`;
}

/** Where calls lead, once the box has its streams. A client may be faster than the box. */
interface Line {
  /** Takes the bytes that a client types; undefined if the box has no input. */
  input?: Writable | undefined;
  /** The terminal, if the box has one. */
  master?: number;
}

export async function keepWithClients(name: string): Promise<number> {
  const { Tty = false, OpenStdin = false, StdinOnce = false } = readWanted(name).request;
  const output = openSync(outputFile(name), 'a');
  // One write for each frame, to a file opened with O_APPEND: no reader ever finds the half of one.
  const record = (bytes: Uint8Array): void => void writeSync(output, bytes);
  // Why a box does not start is for its client to read, too, and clients read only the output.
  const tell = console.error;
  console.error = (...words: unknown[]) => {
    tell(...words);
    const text = Buffer.from(`${format(...words)}\r\n`);
    record(Tty ? text : frame(STREAM.stderr, text));
  };
  const line = Promise.withResolvers<Line>();
  const screen = Tty ? onTerminal(record, line.resolve) : onPipes(record, line.resolve, OpenStdin);
  // The keeper before may have been killed, and have left its socket.
  rmSync(keeperSocket(name), { force: true });
  const server = createServer({ allowHalfOpen: true }, call => answer(call, line.promise, StdinOnce));
  server.listen(keeperSocket(name));
  await once(server, 'listening');
  // Calls do not keep this process alive. Its streams do: it ends after the last byte of output, even if a client is there.
  server.unref();
  return keep(name, screen);
}

function onTerminal(record: (bytes: Uint8Array) => void, ready: (line: Line) => void): Terminal {
  return terminal(master => {
    const stream = new PtyStream(master);
    stream.on('data', record).on('error', () => {});
    ready({ master, input: stream });
  });
}

function onPipes(
  record: (bytes: Uint8Array) => void,
  ready: (line: Line) => void,
  hasInput: boolean,
): Terminal {
  const [stdin, stdout, stderr] = [pipe(), pipe(), pipe()];
  const theirs = [stdin.readEnd, stdout.writeEnd, stderr.writeEnd];
  const listen = (stream: Readable, number: number): void =>
    void stream.on('data', data => record(frame(number, data)));
  return {
    // Without input it keeps ours, which is /dev/null.
    steps: theirs.flatMap((fd, number) => (number === 0 && !hasInput ? [] : [dup3(fd, number, 0)])),
    show() {
      // While we have these open, too, we would not notice that the box has closed them.
      for (const fd of theirs) closeSync(fd);
      listen(readableOf(stdout.readEnd), STREAM.stdout);
      listen(readableOf(stderr.readEnd), STREAM.stderr);
      // A box that does not read its input is no mistake of ours: EPIPE.
      ready(hasInput ? { input: writableOf(stdin.writeEnd).on('error', () => {}) } : {});
    },
  };
}

function answer(call: Socket, line: Promise<Line>, once: boolean): void {
  call.unref().on('error', () => {});
  call.once('data', async data => {
    call.pause();
    const end = data.indexOf('\n');
    const [verb, rows, columns] = data.toString('utf8', 0, end).split(' ');
    const { input, master } = await line;
    if (verb === 'resize') {
      if (master !== undefined && !input?.destroyed)
        resizePty(master, { rows: Number(rows), columns: Number(columns) });
      call.end();
    } else if (input !== undefined) {
      call.unshift(data.subarray(end + 1));
      // The end of what a client sends is the end of the box's input only if it is to have one client.
      call.pipe(input, { end: once && master === undefined });
    }
  });
}
