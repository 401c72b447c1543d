// What clients have been told of the engine's objects. A daemon that is killed may have done what it had not answered yet;
// it must have kept what it had.

/** 'asked': a change was asked for and not answered, so that either outcome is right. */
export type Fate = 'asked' | 'there' | 'gone';
export type Kind = 'container' | 'running' | 'image' | 'volume' | 'network';

export interface Told {
  kind: Kind;
  name: string;
  fate: Fate;
}

export class Facts {
  readonly #fates = new Map<string, Told>();
  readonly #listen: (told: Told) => void;

  /** @param listen receives each fact before the next request is sent */
  constructor(listen: (told: Told) => void = () => {}) {
    this.#listen = listen;
  }

  tell(kind: Kind, name: string, fate: Fate): void {
    const told = { kind, name, fate };
    this.#fates.set(`${kind} ${name}`, told);
    this.#listen(told);
  }

  all(): Told[] {
    return [...this.#fates.values()];
  }

  names(kind: Kind, fate: Fate): string[] {
    return [...this.#fates.values()]
      .filter(each => each.kind === kind && each.fate === fate)
      .map(each => each.name);
  }

  /**
   * No program runs after a power cut. Removals and images need not be on the disk when they are answered, as in Docker: what
   * was removed may be back, and an image whole or gone.
   */
  doubtAfterPowerCut(): void {
    for (const { kind, name, fate } of this.all())
      if (fate === 'gone' || kind === 'running' || kind === 'image') this.tell(kind, name, 'asked');
  }

  /**
   * One line for each object that is otherwise than clients were told. What they do not know is settled by what there is, and
   * what is gone is forgotten.
   */
  settle(kind: Kind, present: ReadonlySet<string>): string[] {
    const wrong: string[] = [];
    for (const [key, { kind: of, name, fate }] of this.#fates) {
      if (of !== kind) continue;
      const isThere = present.has(name);
      if (fate === 'there' && !isThere) wrong.push(`${kind} ${name} was there, and is lost`);
      if (fate === 'gone' && isThere) wrong.push(`${kind} ${name} was gone, and is there again`);
      if (isThere) this.#fates.set(key, { kind, name, fate: 'there' });
      else this.#fates.delete(key);
    }
    return wrong;
  }
}
