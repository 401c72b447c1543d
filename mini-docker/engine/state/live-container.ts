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
  /** Held by whoever changes its state. Waiting for its exit is done without. */
  readonly lock = new Lock();
  /** While its program runs, and until its end is dealt with. */
  run: Run | undefined;
  /** Set while a restart policy waits. */
  restartTimer: NodeJS.Timeout | undefined;
  /** Milliseconds before the next restart. */
  restartDelay = 0;
  /** `restart` waits for its end: it is no reason for --rm. */
  restarting = false;
  /** Nobody may start it any more. */
  removing = false;
  removed = false;
  readonly clients = new Set<AttachedClient>();
  readonly execIds = new Set<string>();
  /** The steps of its latest start, when that was asked for. */
  trace: ExplainedStep[] | undefined;
  #exitWaiters = new Set<ExitWaiter>();
  #removalWaiters = new Set<ExitWaiter>();

  constructor(record: ContainerRecord) {
    this.record = record;
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
    this.removed = true;
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
