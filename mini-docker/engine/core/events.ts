// The engine's events: delivered to subscribers, and kept for clients that ask for past ones.

import type { EventMessage, EventType, Filters } from '../../formats/engine-api/system.ts';
import { badParameter } from '../../formats/errors.ts';
import { hasLabels } from '../../formats/filters.ts';
import { nowNanoseconds } from '../../formats/timestamp.ts';

/** Past events that are kept. */
const REMEMBERED = 1024;

export interface EventRequest {
  since?: bigint;
  until?: bigint;
  filters?: Filters;
  signal?: AbortSignal;
}

type Listener = (message: EventMessage) => void;

/** The filters that name an object of a type. */
const OBJECTS = ['config', 'container', 'daemon', 'network', 'volume'];

export class Events {
  #past: EventMessage[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #closing = new AbortController();
  #count = 0;

  /** Events so far. */
  get count(): number {
    return this.#count;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  emit(type: EventType, action: string, actor: { id: string; attributes: Record<string, string> }): void {
    const now = nowNanoseconds();
    const { id, attributes } = actor;
    const message: EventMessage = {
      ...(type === 'container' || type === 'image' ? { status: action, id } : {}),
      ...(type === 'container' && attributes.image ? { from: attributes.image } : {}),
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Number(now / 1_000_000_000n),
      timeNano: Number(now),
    };
    this.#count += 1;
    this.#past.push(message);
    if (this.#past.length > REMEMBERED * 2) this.#past = this.#past.slice(-REMEMBERED);
    for (const listener of [...this.#listeners]) listener(message);
  }

  /** Subscribes when it is called, not at the first item. */
  subscribe(request: EventRequest): AsyncIterable<EventMessage> {
    const { since, until, filters = {}, signal } = request;
    const queue: EventMessage[] = [];
    let wake = () => {};
    const take = (message: EventMessage) => {
      if (!matches(message, filters)) return;
      queue.push(message);
      wake();
    };
    if (since !== undefined && until !== undefined && since > until) {
      const [first, last] = [since, until].map(time => time / 1_000_000_000n);
      throw badParameter(`\`since\` time (${first}) cannot be after \`until\` time (${last})`);
    }
    if (since !== undefined || until !== undefined) {
      for (const message of this.#past) {
        if (message.timeNano >= Number(since ?? 0) && message.timeNano <= Number(until ?? Infinity))
          take(message);
      }
    }
    this.#listeners.add(take);
    const stops = [this.#closing.signal, ...(signal ? [signal] : [])];
    const late = until === undefined ? undefined : Number(until / 1_000_000n) - Date.now();
    if (late !== undefined) stops.push(AbortSignal.timeout(Math.min(Math.max(late, 0), 2 ** 31 - 1)));
    const stop = AbortSignal.any(stops);
    const forget = () => void this.#listeners.delete(take);
    stop.addEventListener('abort', () => {
      forget();
      wake();
    });
    return drain();

    async function* drain() {
      try {
        for (;;) {
          const message = queue.shift();
          if (message) yield message;
          else if (stop.aborted) return;
          else
            await new Promise<void>(resolve => {
              wake = resolve;
            });
        }
      } finally {
        forget();
      }
    }
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#closing.abort();
  }
}

/**
 * Whether every key matches; a key matches when one of its values does. Unknown keys match everything, as in
 * Docker.
 */
function matches(message: EventMessage, filters: Filters): boolean {
  const { Type, Action, Actor } = message;
  return Object.entries(filters).every(([key, values]) => {
    if (values.length === 0) return true;
    switch (key) {
      case 'type':
        return values.includes(Type);
      case 'scope':
        return values.includes(message.scope);
      case 'event':
        // The action 'exec_start: sh' matches the filter value exec_start.
        return values.some(value => Action === value || Action.startsWith(`${value}:`));
      case 'label':
        return hasLabels(Actor.Attributes, values);
      case 'image':
        return values.some(
          value =>
            (Type === 'image' && (Actor.ID === value || Actor.Attributes.name === value)) ||
            withoutTag(Actor.Attributes.image ?? '') === withoutTag(value),
        );
      default:
        return (
          !OBJECTS.includes(key) ||
          (Type === key &&
            values.some(value => Actor.ID.startsWith(value) || Actor.Attributes.name?.startsWith(value)))
        );
    }
  });
}

function withoutTag(reference: string): string {
  const slash = reference.lastIndexOf('/');
  const colon = reference.indexOf(':', slash + 1);
  return colon < 0 ? reference : reference.slice(0, colon);
}
