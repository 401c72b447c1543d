// The commands of `compose`: each module is loaded when its command runs.

import type { Entry } from '../command.ts';

export const COMPOSE_COMMANDS: Readonly<Record<string, Entry>> = {
  'compose attach': {
    summary: "Attach local standard input, output, and error streams to a service's running container",
    load: async () => (await import('./one-container-commands.ts')).attach,
  },
  'compose build': {
    summary: 'Build or rebuild services',
    load: async () => (await import('./image-commands.ts')).build,
  },
  'compose commit': {
    summary: "Create a new image from a service container's changes",
    load: async () => (await import('./one-container-commands.ts')).commit,
  },
  'compose config': {
    summary: 'Parse, resolve and render compose file in canonical format',
    load: async () => (await import('./config-command.ts')).config,
  },
  'compose cp': {
    summary: 'Copy files/folders between a service container and the local filesystem',
    load: async () => (await import('./exec-commands.ts')).cp,
  },
  'compose create': {
    summary: 'Creates containers for a service',
    load: async () => (await import('./lifecycle-commands.ts')).create,
  },
  'compose down': {
    summary: 'Stop and remove containers, networks',
    load: async () => (await import('./lifecycle-commands.ts')).down,
  },
  'compose events': {
    summary: 'Receive real time events from containers',
    load: async () => (await import('./list-commands.ts')).events,
  },
  'compose exec': {
    summary: 'Execute a command in a running container',
    load: async () => (await import('./exec-commands.ts')).exec,
  },
  'compose export': {
    summary: "Export a service container's filesystem as a tar archive",
    load: async () => (await import('./one-container-commands.ts')).exportContainer,
  },
  'compose images': {
    summary: 'List images used by the created containers',
    load: async () => (await import('./list-commands.ts')).images,
  },
  'compose kill': {
    summary: 'Force stop service containers',
    load: async () => (await import('./lifecycle-commands.ts')).kill,
  },
  'compose logs': {
    summary: 'View output from containers',
    load: async () => (await import('./list-commands.ts')).logs,
  },
  'compose ls': {
    summary: 'List running compose projects',
    load: async () => (await import('./list-commands.ts')).ls,
  },
  'compose pause': {
    summary: 'Pause services',
    load: async () => (await import('./lifecycle-commands.ts')).pause,
  },
  'compose port': {
    summary: 'Print the public port for a port binding',
    load: async () => (await import('./list-commands.ts')).port,
  },
  'compose ps': {
    summary: 'List containers',
    load: async () => (await import('./list-commands.ts')).ps,
  },
  'compose pull': {
    summary: 'Pull service images',
    load: async () => (await import('./image-commands.ts')).pull,
  },
  'compose push': {
    summary: 'Push service images',
    load: async () => (await import('./image-commands.ts')).push,
  },
  'compose restart': {
    summary: 'Restart service containers',
    load: async () => (await import('./lifecycle-commands.ts')).restart,
  },
  'compose rm': {
    summary: 'Removes stopped service containers',
    load: async () => (await import('./lifecycle-commands.ts')).rm,
  },
  'compose run': {
    summary: 'Run a one-off command on a service',
    load: async () => (await import('./exec-commands.ts')).run,
  },
  'compose scale': {
    summary: 'Scale services',
    load: async () => (await import('./lifecycle-commands.ts')).scale,
  },
  'compose start': {
    summary: 'Start services',
    load: async () => (await import('./lifecycle-commands.ts')).start,
  },
  'compose stats': {
    summary: 'Display a live stream of container(s) resource usage statistics',
    load: async () => (await import('./one-container-commands.ts')).stats,
  },
  'compose stop': {
    summary: 'Stop services',
    load: async () => (await import('./lifecycle-commands.ts')).stop,
  },
  'compose top': {
    summary: 'Display the running processes',
    load: async () => (await import('./list-commands.ts')).top,
  },
  'compose unpause': {
    summary: 'Unpause services',
    load: async () => (await import('./lifecycle-commands.ts')).unpause,
  },
  'compose up': {
    summary: 'Create and start containers',
    load: async () => (await import('./up-command.ts')).up,
  },
  'compose version': {
    summary: 'Show the version of Compose',
    load: async () => (await import('./list-commands.ts')).version,
  },
  'compose volumes': {
    summary: 'List volumes',
    load: async () => (await import('./list-commands.ts')).volumes,
  },
  'compose wait': {
    summary: 'Block until containers of all (or specified) services stop',
    load: async () => (await import('./lifecycle-commands.ts')).wait,
  },
};
