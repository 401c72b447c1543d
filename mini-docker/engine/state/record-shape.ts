// Whether what lies on disk is a record that the engine can work with. A record that was cut short, or that somebody
// edited, must not surface later as an error in the middle of something else.

import { containerConfig, hostConfig } from '../../formats/engine-api/containers.ts';
import { FormatError } from '../../formats/errors.ts';
import {
  anyObject,
  array,
  boolean,
  fieldsOf,
  integer,
  map,
  nullable,
  object,
  parse,
  parseObject,
  type Schema,
  string,
  strings,
} from '../../formats/schema.ts';
import { NAME } from './names.ts';
import type { ContainerRecord } from './record.ts';

/** One that is there: null is none. */
const present: Schema<Record<string, unknown>> = (value, where) => fieldsOf(value, where);

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const status: Schema<string> = (value, where) => {
  const found = string(value, where);
  if (!STATUSES.includes(found)) throw new FormatError(`${where} is no status: ${found}`);
  return found;
};

const mount: Schema<unknown> = (value, where) =>
  object({}, { Type: string, Destination: string })(present(value, where), where);

const record = object(
  { ports: map(nullable(array(anyObject))), wantedMacs: map(string), lastAddresses: map(present) },
  {
    version: integer,
    id: string,
    name: string,
    created: string,
    path: string,
    args: strings,
    imageId: string,
    mounts: array(mount),
    networks: map(present),
    config: containerConfig,
    hostConfig,
    state: object(
      {},
      {
        status,
        pid: integer,
        exitCode: integer,
        error: string,
        oomKilled: boolean,
        startedAt: string,
        finishedAt: string,
        restartCount: integer,
        manuallyStopped: boolean,
        startedBefore: boolean,
      },
    ),
  },
);

/** Throws FormatError, which names what is wrong. */
export function parseRecord(bytes: Uint8Array, id: string): ContainerRecord {
  const found = parse(bytes, 'the record', record);
  if (found.version !== 1) throw new FormatError(`its version ${found.version} is not known`);
  if (found.id !== id) throw new FormatError(`it is the record of ${JSON.stringify(found.id)}`);
  if (!NAME.test(found.name)) throw new FormatError('its name is none');
  return parseObject(bytes, 'the record') as unknown as ContainerRecord;
}
