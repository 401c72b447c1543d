// A runtime without a kernel: its containers are objects, and a test decides when their programs exit. They
// outlive an engine, as processes do, so that the next one finds them.

import { SIG } from '../../linux/constants.ts';
import type { Container, CreateOptions, Execution, Exit, Runtime, Stats } from '../../runtime/container.ts';

/** Higher than any pid of this machine, so that a test that signals one by mistake hits no process. */
const FIRST_PID = 2 ** 22 + 1;

export class MemoryContainer implements Container {
  readonly id: string;
  readonly pid: number;
  readonly outputs = {};
  /** The signals that it was sent, in order. */
  readonly signals: number[] = [];
  /** The signals that end its program, besides SIGKILL. */
  readonly endsOn = new Set<number>([SIG.TERM]);
  frozen = false;
  /** The reason why it cannot be resumed. */
  stuck: Error | undefined;
  /** Whether its cgroup and its monitor were released. */
  deleted = false;
  readonly exited: Promise<Exit>;
  readonly unmounted = Promise.resolve();
  readonly #end: (exit: Exit) => void;
  readonly #failure: Error | undefined;
  #hasEnded = false;

  constructor(options: { id: string; pid: number; failure: Error | undefined }) {
    this.id = options.id;
    this.pid = options.pid;
    this.#failure = options.failure;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.exited = promise;
    this.#end = resolve;
  }

  /** Ends its program. undefined: with an unknown exit code. */
  end(code: number | undefined): void {
    this.#hasEnded = true;
    this.#end({ code, oomKilled: false, at: new Date() });
  }

  async start(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
  }

  kill(signal: number): boolean {
    if (this.#hasEnded) return false;
    this.signals.push(signal);
    this.#die();
    return true;
  }

  async pause(): Promise<void> {
    this.frozen = true;
  }

  async resume(): Promise<void> {
    if (this.stuck !== undefined) throw this.stuck;
    this.frozen = false;
    this.#die();
  }

  onOomKill(): void {}

  oomKill(): undefined {}

  trace(): undefined {}

  resize(): void {}

  async update(): Promise<void> {}

  processes(): number[] {
    return this.#hasEnded ? [] : [this.pid];
  }

  stats(): Promise<Stats> {
    return Promise.reject(new Error('nothing is measured here'));
  }

  exec(): Promise<Execution> {
    return Promise.reject(new Error('nothing can be executed here'));
  }

  async delete() {
    this.deleted = true;
  }

  openLayers(): undefined {}

  /** A frozen process does not see its signals. */
  #die(): void {
    const signal = this.signals.find(each => each === SIG.KILL || this.endsOn.has(each));
    if (signal !== undefined && !this.frozen && !this.#hasEnded) this.end(128 + signal);
  }
}

export class MemoryRuntime implements Runtime {
  /** Containers in the order of their creation. */
  readonly containers: MemoryContainer[] = [];
  /** The reason why the next program cannot be executed. */
  failure: Error | undefined;
  /** Directories of containers that could not be taken over. */
  readonly discarded: string[] = [];
  /** Containers are created only after this has settled. */
  ready: Promise<void> = Promise.resolve();

  get latest(): MemoryContainer {
    return this.containers.at(-1)!;
  }

  explain(): [] {
    return [];
  }

  async create({ id, onNamespaces }: CreateOptions): Promise<Container> {
    await this.ready;
    const pid = FIRST_PID + this.containers.length;
    const container = new MemoryContainer({ id, pid, failure: this.failure });
    this.failure = undefined;
    this.containers.push(container);
    await onNamespaces?.(pid);
    return container;
  }

  async adopt({ id }: { id: string }): Promise<Container | undefined> {
    const found = this.containers.findLast(each => each.id === id && !each.deleted);
    return found;
  }

  async discard({ directory }: { directory: string }): Promise<void> {
    this.discarded.push(directory);
  }
}
