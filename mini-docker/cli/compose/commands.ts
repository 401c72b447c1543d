// The commands of `compose`: each module is loaded when its command runs.

import { commandsIn, type Entry } from '../command.ts';

export const COMPOSE_COMMANDS: Readonly<Record<string, Entry>> = {
  ...commandsIn(() => import('./one-container-commands.ts'), {
    'compose attach':
      "Attach local standard input, output, and error streams to a service's running container",
    'compose commit': "Create a new image from a service container's changes",
    'compose export': "Export a service container's filesystem as a tar archive",
    'compose stats': 'Display a live stream of container(s) resource usage statistics',
  }),
  ...commandsIn(() => import('./image-commands.ts'), {
    'compose build': 'Build or rebuild services',
    'compose pull': 'Pull service images',
    'compose push': 'Push service images',
  }),
  ...commandsIn(() => import('./config-command.ts'), {
    'compose config': 'Parse, resolve and render compose file in canonical format',
  }),
  ...commandsIn(() => import('./exec-commands.ts'), {
    'compose cp': 'Copy files/folders between a service container and the local filesystem',
    'compose exec': 'Execute a command in a running container',
    'compose run': 'Run a one-off command on a service',
  }),
  ...commandsIn(() => import('./lifecycle-commands.ts'), {
    'compose create': 'Creates containers for a service',
    'compose down': 'Stop and remove containers, networks',
    'compose kill': 'Force stop service containers',
    'compose pause': 'Pause services',
    'compose restart': 'Restart service containers',
    'compose rm': 'Removes stopped service containers',
    'compose scale': 'Scale services',
    'compose start': 'Start services',
    'compose stop': 'Stop services',
    'compose unpause': 'Unpause services',
    'compose wait': 'Block until containers of all (or specified) services stop',
  }),
  ...commandsIn(() => import('./list-commands.ts'), {
    'compose events': 'Receive real time events from containers',
    'compose images': 'List images used by the created containers',
    'compose logs': 'View output from containers',
    'compose ls': 'List running compose projects',
    'compose port': 'Print the public port for a port binding',
    'compose ps': 'List containers',
    'compose top': 'Display the running processes',
    'compose version': 'Show the version of Compose',
    'compose volumes': 'List volumes',
  }),
  ...commandsIn(() => import('./up-command.ts'), {
    'compose up': 'Create and start containers',
  }),
  ...commandsIn(() => import('./watch-command.ts'), {
    'compose watch': 'Watch build context for service and rebuild/refresh containers when files are updated',
  }),
};
