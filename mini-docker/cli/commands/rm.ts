import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { hasStatus } from '../errors.ts';
import { toggle } from '../flags/flags.ts';
import { printError } from '../show/output.ts';
import { forEachTarget } from '../targets.ts';

export const rm = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: {
    force: toggle('Force the removal of a running container (uses SIGKILL)', 'f'),
    link: toggle('Remove the specified link', 'l'),
    volumes: toggle('Remove anonymous volumes associated with the container', 'v'),
  },
  examples: [
    ['rm -f web', 'Remove a container even if it is running'],
    ['rm $(mini-docker ps -aq -f status=exited)', 'Remove all exited containers'],
  ],
  run: ({ flags, args, daemon }) =>
    forEachTarget(args, async each => {
      const query = {
        force: flags.force || undefined,
        v: flags.volumes || undefined,
        link: flags.link || undefined,
      };
      try {
        await daemon.text('DELETE', containerPath(each.replace(/^\/+/, '')), { query });
      } catch (error) {
        // Like `rm -f` of a missing file: it is not an error, but the user is told.
        if (!flags.force || !hasStatus(error, 404)) throw error;
        printError(`Error response from daemon: ${error.message}`);
        return false;
      }
    }),
});
