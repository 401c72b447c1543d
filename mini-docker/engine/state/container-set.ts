// All containers, by id and by name. A name is reserved within one turn of the event loop, so that of two
// simultaneous requests exactly one gets it.

import { randomBytes } from 'node:crypto';
import { badParameter, conflict } from '../../formats/errors.ts';
import { noSuchContainer } from '../core/errors.ts';
import type { LiveContainer } from './live-container.ts';
import { checkedName, randomName } from './names.ts';

export class ContainerSet implements Iterable<LiveContainer> {
  readonly #byId = new Map<string, LiveContainer>();
  /** Ids by name, including containers that are still being created. */
  readonly #names = new Map<string, string>();
  readonly #referring = new Set<LiveContainer>();

  [Symbol.iterator](): Iterator<LiveContainer> {
    return this.#byId.values();
  }

  /**
   * The containers whose configuration names others: they share the namespace of one (`--net container:NAME`), or have
   * links. Each start and each end looks for them, and most containers refer to no other.
   */
  get referring(): Iterable<LiveContainer> {
    return this.#referring;
  }

  get size(): number {
    return this.#byId.size;
  }

  newId(): string {
    for (;;) {
      const id = randomBytes(32).toString('hex');
      // Tools would take a short id of digits for a number.
      if (!this.#byId.has(id) && !/^\d{12}/.test(id)) return id;
    }
  }

  /**
   * Finds by id, name (with or without '/'), or unambiguous prefix of an id. @throws notFound when none
   * matches; badParameter when several do
   */
  get(reference: string): LiveContainer {
    const found = this.find(reference);
    if (found === undefined) throw noSuchContainer(reference);
    return found;
  }

  find(reference: string): LiveContainer | undefined {
    const byId = this.#byId.get(reference);
    if (byId) return byId;
    const name = reference.startsWith('/') ? reference.slice(1) : reference;
    const named = this.#byId.get(this.#names.get(name) ?? '');
    if (named) return named;
    if (name.includes('/')) return this.#linked(name);
    if (!/^[0-9a-f]{1,63}$/.test(reference)) return undefined;
    const fitting = [...this.#byId.values()].filter(each => each.id.startsWith(reference));
    if (fitting.length > 1) throw badParameter(`multiple IDs found with provided prefix: ${reference}`);
    return fitting[0];
  }

  /** Resolves 'web/db': the container that web links to under the name db. */
  #linked(reference: string): LiveContainer | undefined {
    const [name = '', alias] = reference.split('/');
    const links = this.#byId.get(this.#names.get(name) ?? '')?.record.hostConfig.Links ?? [];
    const link = links.find(each => each.split(':')[1] === alias);
    return this.#byId.get(link?.split(':')[0] ?? '');
  }

  /**
   * Reserves the name for `id`, or a random one. @throws badParameter when it is invalid; conflict when it
   * is taken
   */
  reserveName(wanted: string | undefined, id: string): string {
    const name = wanted ? checkedName(wanted) : randomName(each => this.#names.has(each));
    const holder = this.#names.get(name);
    if (holder !== undefined) {
      throw conflict(
        `Conflict. The container name "/${name}" is already in use by container "${holder}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      );
    }
    this.#names.set(name, id);
    return name;
  }

  releaseName(name: string, id: string): void {
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  /** Adds a container whose name was reserved before. */
  add(container: LiveContainer): void {
    this.#byId.set(container.id, container);
    this.#names.set(container.name, container.id);
    const { NetworkMode, Links } = container.record.hostConfig;
    if (NetworkMode?.startsWith('container:') || Links?.length) this.#referring.add(container);
  }

  delete(container: LiveContainer): void {
    this.#byId.delete(container.id);
    this.#referring.delete(container);
    this.releaseName(container.name, container.id);
  }
}
