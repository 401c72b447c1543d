// One holder at a time, in the order of asking. What changes a container's state holds the container's lock.

export class Lock {
  #last: Promise<void> = Promise.resolve();

  /** Waits for its turn. `using held = await lock.acquire()` gives it back at the end of the block, also on errors. */
  async acquire(): Promise<Disposable> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return { [Symbol.dispose]: resolve };
  }
}
