// Makes an object of an interface from the methods that a test needs. The others reject.

import { notImplemented } from '../../formats/errors.ts';

export function only<T extends object>(given: Partial<T> = {}): T {
  return new Proxy(given as T, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      (async () => {
        throw notImplemented(`not part of this test: ${String(name)}`);
      }),
  });
}
