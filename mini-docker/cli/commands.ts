// The table of commands: name, summary and module. A module is loaded only when its command is used.

import type { CommandTable, Entry } from './command.ts';
import { COMPOSE_COMMANDS } from './compose/commands.ts';
import type { FlagTable } from './flags/flags.ts';

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
  run: {
    summary: 'Run a command in a new container',
    load: async () => (await import('./commands/run.ts')).run,
  },
  exec: {
    summary: 'Run a command in a running container',
    load: async () => (await import('./commands/exec.ts')).exec,
  },
  ps: { summary: 'List containers', load: async () => (await import('./commands/ps.ts')).ps },
  images: { summary: 'List images', load: async () => (await import('./commands/images.ts')).images },
  pull: {
    summary: 'Pull an image or a repository from a registry',
    load: async () => (await import('./commands/pull.ts')).pull,
  },
  build: {
    summary: 'Build an image from a Dockerfile',
    load: async () => (await import('./commands/build.ts')).build,
  },
  commit: {
    summary: "Create a new image from a container's changes",
    load: async () => (await import('./commands/commit.ts')).commit,
  },
  logs: {
    summary: 'Fetch the logs of a container',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  attach: {
    summary: 'Attach local standard input, output, and error streams to a running container',
    load: async () => (await import('./commands/attach.ts')).attach,
  },
  create: {
    summary: 'Create a new container',
    load: async () => (await import('./commands/create.ts')).create,
  },
  start: {
    summary: 'Start one or more stopped containers',
    load: async () => (await import('./commands/start.ts')).start,
  },
  stop: {
    summary: 'Stop one or more running containers',
    load: async () => (await import('./commands/stop.ts')).stop,
  },
  restart: {
    summary: 'Restart one or more containers',
    load: async () => (await import('./commands/stop.ts')).restart,
  },
  kill: {
    summary: 'Kill one or more running containers',
    load: async () => (await import('./commands/state.ts')).kill,
  },
  pause: {
    summary: 'Pause all processes within one or more containers',
    load: async () => (await import('./commands/state.ts')).pause,
  },
  unpause: {
    summary: 'Unpause all processes within one or more containers',
    load: async () => (await import('./commands/state.ts')).unpause,
  },
  wait: {
    summary: 'Block until one or more containers stop, then print their exit codes',
    load: async () => (await import('./commands/state.ts')).wait,
  },
  rename: {
    summary: 'Rename a container',
    load: async () => (await import('./commands/state.ts')).rename,
  },
  rm: { summary: 'Remove one or more containers', load: async () => (await import('./commands/rm.ts')).rm },
  update: {
    summary: 'Update configuration of one or more containers',
    load: async () => (await import('./commands/update.ts')).update,
  },
  inspect: {
    summary: 'Return low-level information on objects',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  top: {
    summary: 'Display the running processes of a container',
    load: async () => (await import('./commands/top.ts')).top,
  },
  stats: {
    summary: 'Display a live stream of container(s) resource usage statistics',
    load: async () => (await import('./commands/stats.ts')).stats,
  },
  view: {
    summary: 'Show containers and the host live, as the kernel has them, in one window',
    load: async () => (await import('./commands/view.ts')).view,
  },
  why: {
    summary: 'Explain why a container ended, does not start, cannot be reached or is slow',
    load: async () => (await import('./commands/why.ts')).why,
  },
  port: {
    summary: 'List port mappings or a specific mapping for the container',
    load: async () => (await import('./commands/port.ts')).port,
  },
  cp: {
    summary: 'Copy files/folders between a container and the local filesystem',
    load: async () => (await import('./commands/cp.ts')).cp,
  },
  diff: {
    summary: "Inspect changes to files or directories on a container's filesystem",
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  export: {
    summary: "Export a container's filesystem as a tar archive",
    load: async () => (await import('./commands/export.ts')).exportContainer,
  },
  rmi: { summary: 'Remove one or more images', load: async () => (await import('./commands/rmi.ts')).rmi },
  tag: {
    summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    load: async () => (await import('./commands/rmi.ts')).tag,
  },
  push: {
    summary: 'Push an image or a repository to a registry',
    load: async () => (await import('./commands/push.ts')).push,
  },
  login: {
    summary: 'Log in to a registry',
    load: async () => (await import('./commands/login.ts')).login,
  },
  logout: {
    summary: 'Log out from a registry',
    load: async () => (await import('./commands/login.ts')).logout,
  },
  search: {
    summary: 'Search a registry for images',
    load: async () => (await import('./commands/search.ts')).search,
  },
  load: {
    summary: 'Load an image from a tar archive or STDIN',
    load: async () => (await import('./commands/load.ts')).load,
  },
  save: {
    summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
    load: async () => (await import('./commands/save.ts')).save,
  },
  import: {
    summary: 'Import the contents from a tarball to create a filesystem image',
    load: async () => (await import('./commands/import.ts')).importImage,
  },
  history: {
    summary: 'Show the history of an image',
    load: async () => (await import('./commands/history.ts')).history,
  },
  events: {
    summary: 'Get real time events from the server',
    load: async () => (await import('./commands/events.ts')).events,
  },
  info: {
    summary: 'Display system-wide information',
    load: async () => (await import('./commands/info.ts')).info,
  },
  version: {
    summary: 'Show the version information',
    load: async () => (await import('./commands/version.ts')).version,
  },
  daemon: {
    summary: 'Run the engine (other commands start it when needed)',
    load: async () => (await import('./commands/daemon.ts')).daemon,
  },
  completion: {
    summary: 'Generate the autocompletion script for bash, zsh or fish',
    load: async () => (await import('./commands/completion.ts')).completion(TABLE),
  },
  ...COMPOSE_COMMANDS,
  'container prune': {
    summary: 'Remove all stopped containers',
    load: async () => (await import('./commands/prune.ts')).containerPrune,
  },
  'container inspect': {
    summary: 'Display detailed information on one or more containers',
    load: async () => (await import('./commands/inspect.ts')).containerInspect,
  },
  'image inspect': {
    summary: 'Display detailed information on one or more images',
    load: async () => (await import('./commands/inspect.ts')).imageInspect,
  },
  'image layers': {
    summary: "Draw an image's layers and what each adds, changes and deletes",
    load: async () => (await import('./commands/image-layers.ts')).imageLayers,
  },
  'image verify': {
    summary: "Check the signatures of a registry's image",
    load: async () => (await import('./commands/image-verify.ts')).imageVerify,
  },
  'manifest annotate': {
    summary: 'Add additional information to a local image manifest',
    load: async () => (await import('./commands/manifest.ts')).manifestAnnotate,
  },
  'manifest create': {
    summary: 'Create a local manifest list for annotating and pushing to a registry',
    load: async () => (await import('./commands/manifest.ts')).manifestCreate,
  },
  'manifest inspect': {
    summary: 'Display an image manifest, or manifest list',
    load: async () => (await import('./commands/manifest.ts')).manifestInspect,
  },
  'manifest push': {
    summary: 'Push a manifest list to a repository',
    load: async () => (await import('./commands/manifest.ts')).manifestPush,
  },
  'manifest rm': {
    summary: 'Delete one or more manifest lists from local storage',
    load: async () => (await import('./commands/manifest.ts')).manifestRemove,
  },
  'builder prune': {
    summary: 'Remove build cache',
    load: async () => (await import('./commands/prune.ts')).builderPrune,
  },
  'image prune': {
    summary: 'Remove unused images',
    load: async () => (await import('./commands/prune.ts')).imagePrune,
  },
  'network ls': {
    summary: 'List networks',
    load: async () => (await import('./commands/network.ts')).networkList,
  },
  'network create': {
    summary: 'Create a network',
    load: async () => (await import('./commands/network.ts')).networkCreate,
  },
  'network connect': {
    summary: 'Connect a container to a network',
    load: async () => (await import('./commands/network.ts')).networkConnect,
  },
  'network disconnect': {
    summary: 'Disconnect a container from a network',
    load: async () => (await import('./commands/network.ts')).networkDisconnect,
  },
  'network trace': {
    summary: 'Follow packets of a container, and say which rule did what',
    load: async () => (await import('./commands/network.ts')).networkTrace,
  },
  'network map': {
    summary: 'Draw networks, cables, addresses and published ports',
    load: async () => (await import('./commands/network.ts')).networkMap,
  },
  'network condition': {
    summary: "Delay, lose or slow down a container's packets",
    load: async () => (await import('./commands/network-conditions.ts')).networkCondition,
  },
  'network partition': {
    summary: 'Keep groups of containers from each other',
    load: async () => (await import('./commands/network-conditions.ts')).networkPartition,
  },
  'network heal': {
    summary: 'End the partition',
    load: async () => (await import('./commands/network-conditions.ts')).networkHeal,
  },
  'network inspect': {
    summary: 'Display detailed information on one or more networks',
    load: async () => (await import('./commands/inspect.ts')).networkInspect,
  },
  'network prune': {
    summary: 'Remove all unused networks',
    load: async () => (await import('./commands/prune.ts')).networkPrune,
  },
  'network rm': {
    summary: 'Remove one or more networks',
    load: async () => (await import('./commands/network.ts')).networkRemove,
  },
  'volume ls': {
    summary: 'List volumes',
    load: async () => (await import('./commands/volume.ts')).volumeList,
  },
  'volume create': {
    summary: 'Create a volume',
    load: async () => (await import('./commands/volume.ts')).volumeCreate,
  },
  'volume inspect': {
    summary: 'Display detailed information on one or more volumes',
    load: async () => (await import('./commands/inspect.ts')).volumeInspect,
  },
  'volume prune': {
    summary: 'Remove all unused local volumes',
    load: async () => (await import('./commands/prune.ts')).volumePrune,
  },
  'volume rm': {
    summary: 'Remove one or more volumes',
    load: async () => (await import('./commands/volume.ts')).volumeRemove,
  },
  'system df': {
    summary: 'Show disk usage',
    load: async () => (await import('./commands/system-df.ts')).systemDf,
  },
  'system install': {
    summary: 'Let systemd start the daemon at boot',
    load: async () => (await import('./commands/system-install.ts')).systemInstall,
  },
  'system uninstall': {
    summary: 'Do not let systemd start the daemon any more',
    load: async () => (await import('./commands/system-install.ts')).systemUninstall,
  },
  'system prune': {
    summary: 'Remove unused data',
    load: async () => (await import('./commands/prune.ts')).systemPrune,
  },
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
