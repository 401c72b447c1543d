// A fair lock: one holder at a time, in the order of requests. Code that changes a container's state holds
// its lock.

export interface Holding extends Disposable {
  /** Settles when another caller waits for the lock. */
  readonly wanted: Promise<void>;
}

export class Lock {
  #last: Promise<void> = Promise.resolve();
  #tellHolder = (): void => {};

  /**
   * Waits for its turn. `using held = await lock.acquire()` releases the lock at the end of the block, even
   * after an error.
   */
  async acquire(): Promise<Holding> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    this.#tellHolder();
    await before;
    const wanted = Promise.withResolvers<void>();
    this.#tellHolder = wanted.resolve;
    if (this.#last !== promise) wanted.resolve();
    return { wanted: wanted.promise, [Symbol.dispose]: resolve };
  }
}
