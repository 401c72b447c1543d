import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ExpectedError } from '../../formats/errors.ts';
import { type Command, flag, text } from '../command.ts';
import { exampleSpec } from '../example-spec.ts';

export const command: Command = {
  args: '',
  summary: 'create a new specification file',
  count: [0, 0],
  options: {
    bundle: { type: 'string', short: 'b', value: 'value', help: 'path to the root of the bundle directory' },
    rootless: { type: 'boolean', help: 'generate a configuration for a rootless container' },
  },
  run(invocation) {
    const file = join(resolve(text(invocation, 'bundle') ?? '.'), 'config.json');
    if (existsSync(file)) throw new ExpectedError('conflict', 'File config.json exists. Remove it first');
    writeFileSync(file, JSON.stringify(exampleSpec(flag(invocation, 'rootless')), null, '\t'), {
      mode: 0o666,
    });
    return 0;
  },
};
