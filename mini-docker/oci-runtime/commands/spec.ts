import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ExpectedError } from '../../formats/errors.ts';
import { type Command, flag, text, toggle, value } from '../command.ts';
import { exampleSpec } from '../example-spec.ts';

export const command: Command = {
  args: '',
  summary: 'create a new specification file',
  options: {
    bundle: value('path to the root of the bundle directory', 'b'),
    rootless: toggle('generate a configuration for a rootless container'),
  },
  run(invocation) {
    const file = join(resolve(text(invocation, 'bundle') ?? '.'), 'config.json');
    if (existsSync(file)) throw new ExpectedError('conflict', 'File config.json exists. Remove it first');
    writeFileSync(file, JSON.stringify(exampleSpec(flag(invocation, 'rootless')), null, '\t'), {
      mode: 0o666,
    });
  },
};
