// Validates records from disk. A record that is truncated or was edited must not cause an error later, in an
// unrelated place.

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

/** An object that is present: null is refused. */
const present: Schema<Record<string, unknown>> = (value, where) => fieldsOf(value, where);

export const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const status: Schema<string> = (value, where) => {
  const found = string(value, where);
  if (!STATUSES.includes(found)) throw new FormatError(`${where} is not a status: ${found}`);
  return found;
};

const mount: Schema<unknown> = (value, where) =>
  object({}, { Type: string, Destination: string })(present(value, where), where);

const asked = object({}, { by: string, signal: integer, at: string });
const oomKill = object(
  { group: string, pid: integer, name: string },
  { scope: string, usage: integer, limit: integer, at: string },
);
const pastEnd = object({}, { startedAt: string, finishedAt: string, exitCode: integer });

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
      { exitSignal: integer, asked: array(asked), oomKill, ends: array(pastEnd) },
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

/** @throws FormatError when a field is invalid */
export function parseRecord(bytes: Uint8Array, id: string): ContainerRecord {
  const found = parse(bytes, 'the record', record);
  if (found.version !== 1) throw new FormatError(`its version ${found.version} is unknown`);
  if (found.id !== id) throw new FormatError(`it is the record of ${JSON.stringify(found.id)}`);
  if (!NAME.test(found.name)) throw new FormatError('its name is invalid');
  return parseObject(bytes, 'the record') as unknown as ContainerRecord;
}
