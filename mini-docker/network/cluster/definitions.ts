// The networks of a cluster as entries of etcd: made and removed in transactions, so that two hosts never choose alike.

import { forbidden } from '../../formats/errors.ts';
import { type NetworkRecord, OPTION } from '../record.ts';
import type { Keys } from './entries.ts';
import type { Etcd, KeyValue } from './etcd.ts';

export interface Definitions {
  /** Makes a network known to all hosts. `define` is called with up to date networks, again when another host was faster. */
  create(define: () => NetworkRecord): Promise<NetworkRecord>;
  /** @throws forbidden while a host has containers on it */
  remove(record: NetworkRecord): Promise<void>;
}

export interface DefinitionsOptions {
  etcd: Etcd;
  keys: Keys;
  /** This host's id. */
  self: string;
  /** Says that the store is away where the work fails. */
  reached<T>(work: Promise<T>): Promise<T>;
  /** All entries, as they are now. */
  read(): Promise<{ found: KeyValue[] }>;
}

export function definitions(options: DefinitionsOptions): Definitions {
  const { etcd, keys, self, reached, read } = options;
  return {
    async create(define) {
      for (;;) {
        const { found } = await reached(read());
        const record = define();
        const { resource, vni } = record;
        const isTaken = found.some(each => each.key === keys.vni(vni!));
        if (isTaken && resource.Options[OPTION.vni] !== undefined)
          throw forbidden(`VXLAN network identifier ${vni} is in use by another network`);
        const before = found.find(each => each.key === keys.definitions);
        const unchanged = before === undefined ? 'absent' : { modRevision: before.modRevision };
        const done = await reached(
          etcd.transact(
            [
              { key: keys.definitions, is: unchanged },
              { key: keys.vni(vni!), is: 'absent' },
            ],
            [
              { put: keys.definitions, value: self },
              { put: keys.vni(vni!), value: resource.Id },
              { put: keys.network(resource.Id), value: JSON.stringify(record) },
            ],
          ),
        );
        if (done) return record;
      }
    },
    async remove({ resource, vni }) {
      const done = await reached(
        etcd.transact(
          [{ key: keys.endpoints(resource.Id), prefix: true, is: 'absent' }],
          [
            { put: keys.definitions, value: self },
            { delete: keys.network(resource.Id) },
            { delete: keys.vni(vni!) },
          ],
        ),
      );
      if (!done)
        throw forbidden(
          `error while removing network: network ${resource.Name} id ${resource.Id} has active endpoints on other hosts`,
        );
    },
  };
}
