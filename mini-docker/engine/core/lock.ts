// A fair lock: one holder at a time, in the order of requests. Code that changes a container's state holds
// its lock.

export class Lock {
  #last: Promise<void> = Promise.resolve();

  /**
   * Waits for its turn. `using held = await lock.acquire()` releases the lock at the end of the block, even
   * after an error.
   */
  async acquire(): Promise<Disposable> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return { [Symbol.dispose]: resolve };
  }
}
