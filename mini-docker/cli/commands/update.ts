import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { CommandError } from '../errors.ts';
import { readRestart } from '../flags/values.ts';
import { resources } from '../run/create-body.ts';
import { RESOURCE_FLAGS } from '../run/create-flags.ts';
import { printError } from '../show/output.ts';
import { forEachTarget } from '../targets.ts';

export const update = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: RESOURCE_FLAGS,
  examples: [
    ['update -m 128m --memory-swap 128m web', 'Change the memory limit immediately'],
    ['update --restart always web', 'Change the restart policy'],
  ],
  run({ flags, given, args, daemon }) {
    if (given.size === 0) {
      throw new CommandError('you must provide one or more flags when using this command');
    }
    const { PidsLimit = null, ...rest } = resources(flags);
    const RestartPolicy = flags.restart === undefined ? undefined : readRestart(flags.restart);
    const json = { ...rest, PidsLimit, RestartPolicy };
    return forEachTarget(args, async each => {
      const path = containerPath(each, '/update');
      const { Warnings } = await daemon.json<{ Warnings: string[] | null }>('POST', path, { json });
      for (const warning of Warnings ?? []) printError(`WARNING: ${warning}`);
    });
  },
});
