// The output of a running container: from its pipes or its terminal to its log, and to attached clients. It
// is read as fast as it comes, with or without clients: a container never waits for the daemon or a client.

import { join } from 'node:path';
import { nowNanoseconds } from '../../formats/timestamp.ts';
import type { Descriptor } from '../../linux/descriptor.ts';
import { watchReadable } from '../../linux/readable.ts';
import { glance, type Journal, PipeJournal, setNonBlocking, type Taken, takeDirectly } from './journal.ts';
import { encodeLogLine, type OutputStream, splitOutput } from './json-file-log.ts';
import type { LogFile } from './log-file.ts';
import { PositionFile, readPosition } from './log-position.ts';
import { TerminalJournal } from './terminal-journal.ts';

export interface OutputDescriptors {
  stdout?: Descriptor | undefined;
  stderr?: Descriptor | undefined;
  /** The terminal, in place of both pipes. */
  terminal?: Descriptor | undefined;
}

export interface OutputOptions {
  descriptors: OutputDescriptors;
  /** The container's directory below the run directory, which holds journals and position. */
  directory: string;
  /** undefined: nothing is logged (`--log-driver none`). Closed with the output. */
  log: LogFile | undefined;
  warn(message: string): void;
}

/** Milliseconds after which other containers get a turn, however much this one writes. */
const TURN_MS = 5;

type Listener = (stream: OutputStream, data: Uint8Array) => void;

interface Source {
  stream: OutputStream;
  descriptor: Descriptor;
  terminal: boolean;
  journal: Journal | undefined;
  /** Bytes of an unfinished line. */
  rest: Uint8Array;
  watch?: { stop(): void };
  ended: PromiseWithResolvers<void>;
  isOver: boolean;
  reading: boolean;
}

/**
 * Lets the event loop turn once for each millisecond of work. Node accepts one connection in a turn, and an answer takes
 * several: with a turn of work before each, a client would wait behind thousands of others for minutes.
 */
function afterTurns(milliseconds: number, work: () => void): void {
  setImmediate(() => (milliseconds > 1 ? afterTurns(milliseconds - 1, work) : work()));
}

export const positionPath = (directory: string): string => join(directory, 'log-position');

export class ContainerOutput {
  readonly log: LogFile | undefined;
  readonly #sources: Source[];
  readonly #directory: string;
  readonly #warn: (message: string) => void;
  readonly #listeners = new Set<Listener>();
  readonly #over = new Set<() => void>();
  #position: PositionFile | undefined;
  #closed = false;

  constructor(options: OutputOptions) {
    this.log = options.log;
    this.#directory = options.directory;
    this.#warn = options.warn;
    const { stdout, stderr, terminal } = options.descriptors;
    this.#sources = [
      ...(terminal === undefined ? [] : [source('stdout', terminal, true)]),
      ...(stdout === undefined ? [] : [source('stdout', stdout, false)]),
      ...(stderr === undefined ? [] : [source('stderr', stderr, false)]),
    ];
    this.#resume();
    for (const each of this.#sources) {
      setNonBlocking(each.descriptor.number);
      each.watch = watchReadable(each.descriptor.number, () => this.#read(each));
    }
  }

  /** Receives all output from now on. */
  listen(listener: Listener, over: () => void): { stop(): void } {
    if (this.#closed) {
      queueMicrotask(over);
      return { stop: () => {} };
    }
    this.#listeners.add(listener);
    this.#over.add(over);
    return {
      stop: () => {
        this.#listeners.delete(listener);
        this.#over.delete(over);
      },
    };
  }

  /** Unfinished lines, which are therefore not in the log yet. */
  beginnings(): { stream: OutputStream; data: Uint8Array }[] {
    return this.#sources
      .filter(({ rest }) => rest.length > 0)
      .map(({ stream, rest }) => ({ stream, data: rest }));
  }

  /**
   * The program has exited: resolves when all its output is logged, at the latest after `patience`
   * milliseconds.
   */
  async finish(patience: number): Promise<void> {
    for (const each of this.#sources) this.#read(each);
    const open = this.#sources.filter(each => !each.isOver);
    if (open.length === 0) return;
    // Another process still has the other end open: one outside the container's pid namespace, or one that is
    // about to exit.
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patience);
    await Promise.race([late, Promise.all(open.map(each => each.ended.promise))]);
    clearTimeout(timer);
  }

  /**
   * Stops reading; bytes in the pipes stay there for another daemon. `ended`: no other will follow.
   * Idempotent.
   */
  close(options: { ended: boolean }): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const each of this.#sources) {
      each.watch?.stop();
      if (options.ended && each.rest.length > 0) this.#toLog(each, new Uint8Array(), true);
      each.journal?.close();
    }
    this.#position?.close();
    this.log?.close();
    for (const over of [...this.#over]) over();
    this.#listeners.clear();
    this.#over.clear();
  }

  /** Logs the bytes that an earlier daemon took out of the pipes and did not log. */
  #resume(): void {
    if (this.log === undefined) return;
    const found = readPosition(positionPath(this.#directory));
    if (found === undefined) return;
    for (const each of this.#sources) {
      each.journal = this.#openJournal(each, found[each.stream]);
      const bytes = each.journal.rest();
      if (bytes.length > 0) this.#toLog(each, bytes, false);
    }
  }

  #read(source: Source): void {
    if (source.isOver || source.reading || this.#closed) return;
    const began = performance.now();
    do {
      const taken = this.#take(source);
      if (taken === 'later') return;
      if (taken === 'end') {
        this.#end(source);
        return;
      }
      if (this.log !== undefined) this.#toLog(source, taken, false);
      for (const listener of [...this.#listeners]) listener(source.stream, taken);
    } while (performance.now() - began < TURN_MS);
    source.reading = true;
    afterTurns(performance.now() - began, () => {
      source.reading = false;
      this.#read(source);
    });
  }

  #take(source: Source): Taken {
    try {
      if (this.log === undefined) return takeDirectly(source.descriptor.number);
      if (source.journal === undefined) {
        const seen = source.terminal ? 'data' : glance(source.descriptor.number);
        if (seen !== 'data') return seen;
        // The position first: a later daemon looks for it before it looks for a journal.
        this.#savePosition();
        source.journal = this.#openJournal(source, 0);
      }
      // A line longer than the journal: the bytes so far become a piece of their own.
      if (source.journal.isFull) this.#toLog(source, new Uint8Array(), true);
      return source.journal.take(source.descriptor.number);
    } catch (error) {
      this.#warn(`cannot read the output of a container: ${(error as Error).message}`);
      return 'end';
    }
  }

  #end(source: Source): void {
    if (source.rest.length > 0) this.#toLog(source, new Uint8Array(), true);
    source.isOver = true;
    source.watch?.stop();
    source.ended.resolve();
  }

  #toLog(source: Source, taken: Uint8Array, ended: boolean): void {
    const bytes = source.rest.length === 0 ? taken : Buffer.concat([source.rest, taken]);
    const { pieces, rest } = splitOutput(bytes, ended);
    source.rest = rest;
    if (pieces.length === 0) return;
    const log = this.log!;
    const time = nowNanoseconds();
    let lines = '';
    let count = 0;
    const flush = () => {
      log.append(lines);
      source.journal?.advance(count);
      lines = '';
      count = 0;
      this.#savePosition();
    };
    for (const data of pieces) {
      const line = encodeLogLine({ stream: source.stream, time, data });
      if (log.isFullFor(line.length, lines.length)) {
        if (lines !== '') flush();
        log.rotate();
        this.#savePosition();
      }
      lines += line;
      count += data.length;
    }
    flush();
    if (source.journal?.shrink()) this.#savePosition();
  }

  #savePosition(): void {
    try {
      this.#position ??= new PositionFile(positionPath(this.#directory));
      const done = (stream: OutputStream) =>
        this.#sources.find(each => each.stream === stream)?.journal?.done ?? 0;
      this.#position.write({ log: this.log!.position, stdout: done('stdout'), stderr: done('stderr') });
    } catch (error) {
      this.#warn(`cannot write ${positionPath(this.#directory)}: ${(error as Error).message}`);
    }
  }

  #openJournal({ stream, terminal }: Source, done: number): Journal {
    const path = join(this.#directory, `${stream}.journal`);
    return terminal ? new TerminalJournal(path, done) : new PipeJournal(path, done);
  }
}

function source(stream: OutputStream, descriptor: Descriptor, terminal: boolean): Source {
  return {
    stream,
    descriptor,
    terminal,
    journal: undefined,
    rest: new Uint8Array(),
    ended: Promise.withResolvers<void>(),
    isOver: false,
    reading: false,
  };
}
