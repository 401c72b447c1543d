// The values that were used last, by key.

export class Latest<K, V> {
  readonly #size: number;
  readonly #drop: (value: V) => void;
  /** In the order of their last use. */
  readonly #values = new Map<K, V>();

  /** @param drop receives each value that makes room for another */
  constructor(size: number, drop: (value: V) => void = () => {}) {
    this.#size = size;
    this.#drop = drop;
  }

  /** The value of the key, made if there is none. */
  get(key: K, make: () => V): V {
    const value = this.#values.has(key) ? this.#values.get(key)! : make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#size) {
      const [oldest, dropped] = this.#values.entries().next().value!;
      this.#values.delete(oldest);
      this.#drop(dropped);
    }
    return value;
  }
}
