// Go through every field of the API that is accepted: something reads it, or it is listed here with the reason why
// nothing does. A field that is taken in silence and does nothing is a lie.

import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import * as containers from '../mini-docker/formats/engine-api/containers.ts';
import * as networks from '../mini-docker/formats/engine-api/networks.ts';
import * as volumes from '../mini-docker/formats/engine-api/volumes.ts';

/** Fields that the engine does not read, each with the reason. */
const UNREAD: Record<string, string> = {
  ArgsEscaped: 'of images for Windows, as dockerd on Linux has it',
  CheckDuplicate: 'a name is never given twice, whether that was asked for or not: so dockerd from 1.44 on',
  ContainerIDFile: 'the docker command writes the file; the daemon only shows the name',
};

test('something of the engine reads each field of a request', () => {
  const root = resolve(import.meta.dirname, '../mini-docker');
  const sources = globSync('{api,engine,network,images,build}/**/*.ts', { cwd: root })
    .filter(path => !/\.test\.ts$|testing\//.test(path))
    .map(path => readFileSync(resolve(root, path), 'utf8'))
    .join('\n')
    .replace(/\/\*.*?\*\/|\/\/.*?$/gms, '');
  const fields = new Set(
    [...Object.values(containers), ...Object.values(networks), ...Object.values(volumes)]
      .filter(
        (each): each is typeof containers.hostConfig => typeof each === 'function' && 'optional' in each,
      )
      .flatMap(schema => Object.keys({ ...schema.optional, ...schema.required })),
  );
  expect(fields.size).toBeGreaterThan(100);
  const isRead = (field: string) => new RegExp(`\\b${field}\\b`).test(sources);
  const unread = [...fields].filter(field => !isRead(field));
  expect(unread.sort()).toEqual(Object.keys(UNREAD).sort());
});
