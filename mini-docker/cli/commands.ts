// The table of commands: name, summary and module. A module is loaded only when its command is used.

import { type CommandTable, commandsIn, type Entry } from './command.ts';
import { COMPOSE_COMMANDS } from './compose/commands.ts';
import type { FlagTable } from './flags/flags.ts';
import { RUN } from './run/table.ts';

/** Groups of commands: 'network' has 'network ls', …. */
export const GROUPS: Readonly<Record<string, string>> = {
  builder: 'Manage builds',
  compose: 'Define and run multi-container applications',
  container: 'Manage containers',
  image: 'Manage images',
  manifest: 'Manage Docker image manifests and manifest lists',
  network: 'Manage networks',
  volume: 'Manage volumes',
  system: 'Manage the engine and its data',
};

/** Flags that stand between a group's name and its command's. */
export const GROUP_FLAGS: Readonly<Record<string, () => Promise<FlagTable>>> = {
  compose: async () => (await import('./compose/options.ts')).PROJECT_FLAGS,
};

export const COMMANDS: Readonly<Record<string, Entry>> = {
  ...RUN,
  ...commandsIn(() => import('./commands/exec.ts'), { exec: 'Run a command in a running container' }),
  ...commandsIn(() => import('./commands/ps.ts'), { ps: 'List containers' }),
  ...commandsIn(() => import('./commands/images.ts'), { images: 'List images' }),
  ...commandsIn(() => import('./commands/pull.ts'), {
    pull: 'Pull an image or a repository from a registry',
  }),
  ...commandsIn(() => import('./commands/build.ts'), { build: 'Build an image from a Dockerfile' }),
  ...commandsIn(() => import('./commands/commit.ts'), {
    commit: "Create a new image from a container's changes",
  }),
  ...commandsIn(() => import('./commands/logs.ts'), { logs: 'Fetch the logs of a container' }),
  ...commandsIn(() => import('./commands/attach.ts'), {
    attach: 'Attach local standard input, output, and error streams to a running container',
  }),
  ...commandsIn(() => import('./commands/create.ts'), { create: 'Create a new container' }),
  ...commandsIn(() => import('./commands/start.ts'), { start: 'Start one or more stopped containers' }),
  ...commandsIn(() => import('./commands/stop.ts'), {
    stop: 'Stop one or more running containers',
    restart: 'Restart one or more containers',
  }),
  ...commandsIn(() => import('./commands/state.ts'), {
    kill: 'Kill one or more running containers',
    pause: 'Pause all processes within one or more containers',
    unpause: 'Unpause all processes within one or more containers',
    wait: 'Block until one or more containers stop, then print their exit codes',
    rename: 'Rename a container',
  }),
  ...commandsIn(() => import('./commands/rm.ts'), { rm: 'Remove one or more containers' }),
  ...commandsIn(() => import('./commands/update.ts'), {
    update: 'Update configuration of one or more containers',
  }),
  ...commandsIn(() => import('./commands/inspect.ts'), {
    inspect: 'Return low-level information on objects',
    'container inspect': 'Display detailed information on one or more containers',
    'image inspect': 'Display detailed information on one or more images',
    'network inspect': 'Display detailed information on one or more networks',
    'volume inspect': 'Display detailed information on one or more volumes',
  }),
  ...commandsIn(() => import('./commands/top.ts'), { top: 'Display the running processes of a container' }),
  ...commandsIn(() => import('./commands/stats.ts'), {
    stats: 'Display a live stream of container(s) resource usage statistics',
  }),
  ...commandsIn(() => import('./commands/view.ts'), {
    view: 'Show containers and the host live, as the kernel has them, in one window',
  }),
  ...commandsIn(() => import('./commands/why.ts'), {
    why: 'Explain why a container ended, does not start, cannot be reached or is slow',
  }),
  ...commandsIn(() => import('./commands/port.ts'), {
    port: 'List port mappings or a specific mapping for the container',
  }),
  ...commandsIn(() => import('./commands/cp.ts'), {
    cp: 'Copy files/folders between a container and the local filesystem',
  }),
  ...commandsIn(() => import('./commands/diff.ts'), {
    diff: "Inspect changes to files or directories on a container's filesystem",
  }),
  ...commandsIn(() => import('./commands/export.ts'), {
    export: "Export a container's filesystem as a tar archive",
  }),
  ...commandsIn(() => import('./commands/rmi.ts'), {
    rmi: 'Remove one or more images',
    tag: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  }),
  ...commandsIn(() => import('./commands/push.ts'), { push: 'Push an image or a repository to a registry' }),
  ...commandsIn(() => import('./commands/login.ts'), {
    login: 'Log in to a registry',
    logout: 'Log out from a registry',
  }),
  ...commandsIn(() => import('./commands/search.ts'), { search: 'Search a registry for images' }),
  ...commandsIn(() => import('./commands/load.ts'), { load: 'Load an image from a tar archive or STDIN' }),
  ...commandsIn(() => import('./commands/save.ts'), {
    save: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  }),
  ...commandsIn(() => import('./commands/import.ts'), {
    import: 'Import the contents from a tarball to create a filesystem image',
  }),
  ...commandsIn(() => import('./commands/history.ts'), { history: 'Show the history of an image' }),
  ...commandsIn(() => import('./commands/events.ts'), { events: 'Get real time events from the server' }),
  ...commandsIn(() => import('./commands/info.ts'), { info: 'Display system-wide information' }),
  ...commandsIn(() => import('./commands/version.ts'), { version: 'Show the version information' }),
  ...commandsIn(() => import('./commands/daemon.ts'), {
    daemon: 'Run the engine (other commands start it when needed)',
  }),
  completion: {
    summary: 'Generate the autocompletion script for bash, zsh or fish',
    load: async () => (await import('./commands/completion.ts')).completion(TABLE),
  },
  ...commandsIn(() => import('./commands/prune.ts'), {
    'container prune': 'Remove all stopped containers',
    'builder prune': 'Remove build cache',
    'image prune': 'Remove unused images',
    'network prune': 'Remove all unused networks',
    'volume prune': 'Remove all unused local volumes',
    'system prune': 'Remove unused data',
  }),
  ...commandsIn(() => import('./commands/image-layers.ts'), {
    'image layers': "Draw an image's layers and what each adds, changes and deletes",
  }),
  ...commandsIn(() => import('./commands/image-verify.ts'), {
    'image verify': "Check the signatures of a registry's image",
  }),
  ...commandsIn(() => import('./commands/manifest.ts'), {
    'manifest annotate': 'Add additional information to a local image manifest',
    'manifest create': 'Create a local manifest list for annotating and pushing to a registry',
    'manifest inspect': 'Display an image manifest, or manifest list',
    'manifest push': 'Push a manifest list to a repository',
    'manifest rm': 'Delete one or more manifest lists from local storage',
  }),
  ...commandsIn(() => import('./commands/network.ts'), {
    'network ls': 'List networks',
    'network create': 'Create a network',
    'network connect': 'Connect a container to a network',
    'network disconnect': 'Disconnect a container from a network',
    'network trace': 'Follow packets of a container, and say which rule did what',
    'network map': 'Draw networks, cables, addresses and published ports',
    'network rm': 'Remove one or more networks',
  }),
  ...commandsIn(() => import('./commands/network-conditions.ts'), {
    'network condition': "Delay, lose or slow down a container's packets",
    'network partition': 'Keep groups of containers from each other',
    'network heal': 'End the partition',
  }),
  ...commandsIn(() => import('./commands/volume.ts'), {
    'volume ls': 'List volumes',
    'volume create': 'Create a volume',
    'volume rm': 'Remove one or more volumes',
  }),
  ...commandsIn(() => import('./commands/system-df.ts'), { 'system df': 'Show disk usage' }),
  ...commandsIn(() => import('./commands/system-install.ts'), {
    'system install': 'Let systemd start the daemon at boot',
    'system uninstall': 'Do not let systemd start the daemon any more',
  }),
  ...COMPOSE_COMMANDS,
};

const IN_CONTAINER_GROUP = [
  'attach commit cp create diff exec export kill logs pause port rename restart rm run start stats stop top unpause',
  'update wait why',
].flatMap(line => line.split(' '));

const IN_IMAGE_GROUP = ['history', 'import', 'load', 'pull', 'push', 'save', 'tag'];

/** Other names of commands: 'container ls' is ps. */
export const ALIASES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(IN_CONTAINER_GROUP.map(name => [`container ${name}`, name])),
  'container ls': 'ps',
  'container list': 'ps',
  'container ps': 'ps',
  'container remove': 'rm',
  'builder build': 'build',
  'image build': 'build',
  'image ls': 'images',
  'image list': 'images',
  'image rm': 'rmi',
  'image remove': 'rmi',
  ...Object.fromEntries(IN_IMAGE_GROUP.map(name => [`image ${name}`, name])),
  'manifest remove': 'manifest rm',
  'network list': 'network ls',
  'network remove': 'network rm',
  'volume list': 'volume ls',
  'volume remove': 'volume rm',
  'system info': 'info',
  'system events': 'events',
};

/** Finds a command by its full name, including its group's; undefined when there is none. */
export function findCommand(name: string): Entry | undefined {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name];
  return Object.hasOwn(ALIASES, name) ? COMMANDS[ALIASES[name]!] : undefined;
}

/** The names in a group, or those of commands without a group; aliases are left out. */
export function commandsOf(group: string | undefined): { name: string; summary: string }[] {
  if (group === undefined) {
    return Object.entries(COMMANDS)
      .filter(([name]) => !name.includes(' '))
      .map(([name, { summary }]) => ({ name, summary }));
  }
  const inGroup = [...Object.keys(ALIASES), ...Object.keys(COMMANDS)].filter(name =>
    name.startsWith(`${group} `),
  );
  const second = /^(container ps|\S+ (list|remove))$/;
  return inGroup
    .filter(name => !second.test(name))
    .sort()
    .map(name => ({ name: name.slice(group.length + 1), summary: findCommand(name)!.summary }));
}

/** The complete table, for code that describes every command. */
export const TABLE: CommandTable = {
  names: [...Object.keys(COMMANDS), ...Object.keys(ALIASES)].sort(),
  groups: GROUPS,
  find: findCommand,
  inGroup: commandsOf,
};
