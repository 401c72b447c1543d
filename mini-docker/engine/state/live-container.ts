// A container in the daemon's memory: its record, and the state that exists only while its program runs.

import type { ExplainedStep } from '../../formats/explanation.ts';
import type { Spec } from '../../formats/oci/runtime-spec.ts';
import type { Container } from '../../runtime/container.ts';
import { type Holding, Lock } from '../core/lock.ts';
import type { AttachedClient } from '../streams/attached-client.ts';
import type { ContainerOutput } from '../streams/output.ts';
import type { ContainerRecord } from './record.ts';

/** One run of its program, from start to exit. */
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
  /**
   * The present run, until its exit has been handled. Only life/transitions.ts writes this and the next five
   * fields.
   */
  readonly run: Run | undefined;
  /** Timer of a pending restart. */
  readonly restartTimer: NodeJS.Timeout | undefined;
  /** Milliseconds before the next restart. */
  readonly restartDelay: number = 0;
  /** Whether `restart` is waiting for the exit, which then does not trigger --rm. */
  readonly restarting: boolean = false;
  /** Whether it is being removed, and can no longer be started. */
  readonly removing: boolean = false;
  readonly removed: boolean = false;
  readonly clients = new Set<AttachedClient>();
  readonly execIds = new Set<string>();
  /** Settles when its creation cannot be lost any more, whatever happens to the machine. */
  onDisk: Promise<void> | undefined;
  /** Settles when the layers of its last run are mounted nowhere any more. */
  unmounted: Promise<void> | undefined;
  /** Whether a client waits for the lock to remove it. */
  removalAwaited = false;
  /** OOM kills since this daemon began. */
  oomEvents = 0;
  /** The steps of its latest start, if they were traced. */
  trace: ExplainedStep[] | undefined;
  readonly #lock = new Lock();
  #exitWaiters = new Set<ExitWaiter>();
  #removalWaiters = new Set<ExitWaiter>();

  constructor(record: ContainerRecord) {
    this.record = record;
  }

  /**
   * Waits for its turn. `using held = await live.hold()` releases the lock at the end of the block, even
   * after an error.
   */
  async hold(): Promise<Held> {
    return new Hold(this, await this.#lock.acquire());
  }

  get id(): string {
    return this.record.id;
  }

  get name(): string {
    return this.record.name;
  }

  /** Whether it counts as running for Docker: paused and restarting included. */
  get isRunning(): boolean {
    const { status } = this.record.state;
    return status === 'running' || status === 'paused' || status === 'restarting';
  }

  /** Whether its program runs: with its mounts in its own root, which it does not have yet while it is being started. */
  get hasBegun(): boolean {
    const { status } = this.record.state;
    return this.run !== undefined && (status === 'running' || status === 'paused');
  }

  get exitStatus(): ExitStatus {
    return { exitCode: this.record.state.exitCode, error: this.record.state.error };
  }

  /** Calls `waiter` once, at the next exit. */
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

  /**
   * Releases the clients that wait for an exit, which now never comes. The failure of an earlier start is
   * not reported as the removal's.
   */
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

/** Proof that the caller holds the container's lock. Release it before waiting for the exit. */
export type Held = Hold;

/** Not exported, so that hold() is the only way to get one. */
class Hold implements Disposable {
  readonly #live: LiveContainer;
  readonly #lock: Holding;
  #over = false;

  constructor(live: LiveContainer, lock: Holding) {
    this.#live = live;
    this.#lock = lock;
  }

  get live(): LiveContainer {
    if (this.#over) throw new Error(`the lock of container ${this.#live.name} has already been released`);
    return this.#live;
  }

  /** Settles when another caller waits for the lock. */
  get wanted(): Promise<void> {
    return this.#lock.wanted;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#lock[Symbol.dispose]();
  }
}
