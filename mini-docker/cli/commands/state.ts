// kill, pause, unpause, wait, rename: one request each.

import type { ContainerWaited } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { text } from '../flags/flags.ts';
import { forEachTarget } from '../targets.ts';

export const kill = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: { signal: text('string', 'Signal to send to the container', 's') },
  examples: [['kill -s HUP web', 'Ask the program to reload its configuration']],
  run: ({ flags, args, daemon }) =>
    forEachTarget(args, async each => {
      await daemon.text('POST', containerPath(each, '/kill'), {
        query: { signal: flags.signal },
      });
    }),
});

export const pause = command({
  usage: 'CONTAINER [CONTAINER...]',
  description: 'Paused processes keep their memory and use no CPU time.',
  examples: [['pause web', 'Pause a container']],
  run: ({ args, daemon }) =>
    forEachTarget(args, async each => {
      await daemon.text('POST', containerPath(each, '/pause'));
    }),
});

export const unpause = command({
  usage: 'CONTAINER [CONTAINER...]',
  examples: [['unpause web', 'Resume a container']],
  run: ({ args, daemon }) =>
    forEachTarget(args, async each => {
      await daemon.text('POST', containerPath(each, '/unpause'));
    }),
});

export const wait = command({
  usage: 'CONTAINER [CONTAINER...]',
  examples: [['wait job', 'Wait for a container to exit and print its exit code']],
  run: ({ args, daemon }) =>
    forEachTarget(args, async each => {
      const waited = await daemon.json<ContainerWaited>('POST', containerPath(each, '/wait'));
      if (waited.Error?.Message) throw new Error(waited.Error.Message);
      return String(waited.StatusCode);
    }),
});

export const rename = command({
  usage: 'CONTAINER NEW_NAME',
  examples: [['rename web old-web', 'Free the name for a new container']],
  async run({ args, daemon }) {
    const [container, name] = args as [string, string];
    await daemon.text('POST', containerPath(container, '/rename'), { query: { name } });
  },
});
