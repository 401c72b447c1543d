// A client that is attached to a container: before its program starts, while it runs, until it has exited.

import type { Writable } from 'node:stream';
import type { Attachment } from '../core/engine.ts';
import type { OutputStream } from './json-file-log.ts';
import type { ContainerOutput } from './output.ts';
import { SpillQueue } from './spill-queue.ts';

/** The program's side of the connection. */
export interface AttachableRun {
  output: Pick<ContainerOutput, 'listen'>;
  stdin: Writable | undefined;
}

export interface AttachedClientOptions {
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Whether the container's standard input ends with the client's (docker's StdinOnce). */
  closesInput: boolean;
  /** Directory for a queue that spills over: on disk, since unread output may be too large for a tmpfs. */
  directory: string;
  onDetach(client: AttachedClient): void;
}

export class AttachedClient {
  readonly #options: AttachedClientOptions;
  readonly queue: SpillQueue<OutputStream>;
  readonly #run = Promise.withResolvers<Writable | undefined>();
  #listening: { stop(): void } | undefined;
  #left = false;

  constructor(options: AttachedClientOptions) {
    this.#options = options;
    this.queue = new SpillQueue({ tags: ['stdout', 'stderr'], directory: options.directory });
  }

  /** The program runs: its output now goes to the client, and the client's input to it. */
  connect(run: AttachableRun): void {
    if (this.#left || this.#listening !== undefined) return;
    const { stdout, stderr, stdin } = this.#options;
    this.#listening = run.output.listen(
      (stream, data) => {
        if (stream === 'stdout' ? stdout : stderr) this.queue.push(stream, data);
      },
      () => this.end(),
    );
    this.#run.resolve(stdin ? run.stdin : undefined);
  }

  /** No more output follows; what is queued is still delivered. */
  end(): void {
    this.#listening?.stop();
    this.queue.end();
    this.#run.resolve(undefined);
    this.#forget();
  }

  attachment(): Attachment {
    return {
      tty: this.#options.tty,
      output: this.#output(),
      write: async data => write(await this.#run.promise, data),
      endInput: () => {
        if (this.#options.closesInput) void this.#run.promise.then(stdin => stdin?.end());
      },
      detach: () => this.#detach(),
    };
  }

  async *#output(): Attachment['output'] {
    try {
      for await (const { tag, data } of this.queue) yield { stream: tag, data };
    } finally {
      this.#detach();
    }
  }

  #detach(): void {
    if (this.#left) return;
    this.#listening?.stop();
    this.queue.discard();
    this.#forget();
    // A client that disconnects while it sends has sent everything.
    if (this.#options.stdin && this.#options.closesInput) void this.#run.promise.then(stdin => stdin?.end());
    this.#run.resolve(undefined);
  }

  #forget(): void {
    if (this.#left) return;
    this.#left = true;
    this.#options.onDetach(this);
  }
}

/** Resolves when the pipe has taken the data, so that a slow program slows its client down. */
function write(stdin: Writable | undefined, data: Uint8Array): Promise<void> {
  if (stdin === undefined) return Promise.resolve();
  if (stdin.destroyed || stdin.writableEnded)
    return Promise.reject(new Error('the program no longer reads its input'));
  return new Promise((resolve, reject) => {
    stdin.write(data, error => (error ? reject(error) : resolve()));
  });
}
