// A container while the daemon runs: its record, and what there is only while its program runs.

import type { ExplainedStep } from '../../formats/explanation.ts';
import type { Spec } from '../../formats/oci/runtime-spec.ts';
import type { Container } from '../../runtime/container.ts';
import { Lock } from '../core/lock.ts';
import type { AttachedClient } from '../streams/attached-client.ts';
import type { ContainerOutput } from '../streams/output.ts';
import type { ContainerRecord } from './record.ts';

/** One life of its program, from start to exit. */
export interface Run {
  container: Container;
  spec: Spec;
  output: ContainerOutput;
  /** Milliseconds since 1970. */
  startedAt: number;
}

export interface ExitStatus {
  exitCode: number;
  error: string;
}

type ExitWaiter = (status: ExitStatus) => void;

export class LiveContainer {
  readonly record: ContainerRecord;
  /** While its program runs, and until its end is dealt with. This and the next five are written by life/transitions.ts alone. */
  readonly run: Run | undefined;
  /** Set while a restart policy waits. */
  readonly restartTimer: NodeJS.Timeout | undefined;
  /** Milliseconds before the next restart. */
  readonly restartDelay: number = 0;
  /** `restart` waits for its end: it is no reason for --rm. */
  readonly restarting: boolean = false;
  /** Nobody may start it any more. */
  readonly removing: boolean = false;
  readonly removed: boolean = false;
  readonly clients = new Set<AttachedClient>();
  readonly execIds = new Set<string>();
  /** The steps of its latest start, when that was asked for. */
  trace: ExplainedStep[] | undefined;
  readonly #lock = new Lock();
  #exitWaiters = new Set<ExitWaiter>();
  #removalWaiters = new Set<ExitWaiter>();

  constructor(record: ContainerRecord) {
    this.record = record;
  }

  /** Waits for its turn. `using held = await live.hold()` gives the lock back at the end of the block, also on errors. */
  async hold(): Promise<Held> {
    return new Hold(this, await this.#lock.acquire());
  }

  get id(): string {
    return this.record.id;
  }

  get name(): string {
    return this.record.name;
  }

  /** Also paused, and waiting for its restart: as Docker counts it. */
  get isRunning(): boolean {
    const { status } = this.record.state;
    return status === 'running' || status === 'paused' || status === 'restarting';
  }

  get exitStatus(): ExitStatus {
    return { exitCode: this.record.state.exitCode, error: this.record.state.error };
  }

  /** Calls once, with the next exit. */
  onNextExit(waiter: ExitWaiter): { stop(): void } {
    this.#exitWaiters.add(waiter);
    return { stop: () => void this.#exitWaiters.delete(waiter) };
  }

  onRemoval(waiter: ExitWaiter): { stop(): void } {
    this.#removalWaiters.add(waiter);
    return { stop: () => void this.#removalWaiters.delete(waiter) };
  }

  tellExit(): void {
    this.#tell(this.#exitWaiters, this.exitStatus);
  }

  /** Who waits for an exit that will never come is told, too. That a start had failed is no failure of the removal. */
  tellRemoval(): void {
    const status = { exitCode: this.record.state.exitCode, error: '' };
    this.#tell(this.#exitWaiters, status);
    this.#tell(this.#removalWaiters, status);
  }

  #tell(waiters: Set<ExitWaiter>, status: ExitStatus): void {
    const told = [...waiters];
    waiters.clear();
    for (const waiter of told) waiter(status);
  }
}

/** That the caller has the container's lock. Waiting for its exit is done without. */
export type Held = Hold;

/** Not exported: hold() alone makes them. */
class Hold implements Disposable {
  readonly #live: LiveContainer;
  readonly #lock: Disposable;
  #over = false;

  constructor(live: LiveContainer, lock: Disposable) {
    this.#live = live;
    this.#lock = lock;
  }

  get live(): LiveContainer {
    if (this.#over) throw new Error(`the lock of container ${this.#live.name} has been given back already`);
    return this.#live;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#lock[Symbol.dispose]();
  }
}
