// Every command: its name, the line that lists it, and where it is. A command's module is loaded when it is used.

import type { CommandTable, Entry } from './command.ts';

/** Groups of commands: 'network' has 'network ls', …. */
export const GROUPS: Readonly<Record<string, string>> = {
  builder: 'Manage builds',
  container: 'Manage containers',
  image: 'Manage images',
  manifest: 'Manage images for several platforms under one name',
  network: 'Manage networks',
  volume: 'Manage volumes',
  system: 'Manage the engine',
};

export const COMMANDS: Readonly<Record<string, Entry>> = {
  run: {
    summary: 'Create a container from an image and start it',
    load: async () => (await import('./commands/run.ts')).run,
  },
  exec: {
    summary: 'Run one more command in a running container',
    load: async () => (await import('./commands/exec.ts')).exec,
  },
  ps: { summary: 'List containers', load: async () => (await import('./commands/ps.ts')).ps },
  images: { summary: 'List images', load: async () => (await import('./commands/images.ts')).images },
  pull: {
    summary: 'Download an image from a registry',
    load: async () => (await import('./commands/pull.ts')).pull,
  },
  build: {
    summary: 'Make an image as a Dockerfile says',
    load: async () => (await import('./commands/build.ts')).build,
  },
  commit: {
    summary: "Make an image of a container's changes",
    load: async () => (await import('./commands/commit.ts')).commit,
  },
  logs: {
    summary: 'Show what a container has written',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  attach: {
    summary: 'Connect this terminal with a running container',
    load: async () => (await import('./commands/attach.ts')).attach,
  },
  create: {
    summary: 'Create a container without starting it',
    load: async () => (await import('./commands/create.ts')).create,
  },
  start: {
    summary: 'Start containers that do not run',
    load: async () => (await import('./commands/start.ts')).start,
  },
  stop: {
    summary: 'Stop containers: ask, wait, then kill',
    load: async () => (await import('./commands/stop.ts')).stop,
  },
  restart: {
    summary: 'Stop and start containers',
    load: async () => (await import('./commands/stop.ts')).restart,
  },
  kill: {
    summary: 'Send a signal to containers',
    load: async () => (await import('./commands/state.ts')).kill,
  },
  pause: {
    summary: 'Freeze all processes of containers',
    load: async () => (await import('./commands/state.ts')).pause,
  },
  unpause: {
    summary: 'Let paused containers go on',
    load: async () => (await import('./commands/state.ts')).unpause,
  },
  wait: {
    summary: 'Wait until containers end, and print their exit codes',
    load: async () => (await import('./commands/state.ts')).wait,
  },
  rename: {
    summary: 'Give a container another name',
    load: async () => (await import('./commands/state.ts')).rename,
  },
  rm: { summary: 'Remove containers', load: async () => (await import('./commands/rm.ts')).rm },
  update: {
    summary: 'Change the limits of containers',
    load: async () => (await import('./commands/update.ts')).update,
  },
  inspect: {
    summary: 'Show everything about containers, images, networks or volumes',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  top: {
    summary: 'List the processes of a container',
    load: async () => (await import('./commands/top.ts')).top,
  },
  stats: {
    summary: 'Watch what containers use of cpu, memory, network and disk',
    load: async () => (await import('./commands/stats.ts')).stats,
  },
  port: {
    summary: "List a container's published ports",
    load: async () => (await import('./commands/port.ts')).port,
  },
  cp: {
    summary: 'Copy files into and out of a container',
    load: async () => (await import('./commands/cp.ts')).cp,
  },
  diff: {
    summary: 'List what a container has changed in its file system',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  export: {
    summary: "Write a container's file system as a tar archive",
    load: async () => (await import('./commands/export.ts')).exportContainer,
  },
  rmi: { summary: 'Remove images', load: async () => (await import('./commands/rmi.ts')).rmi },
  tag: {
    summary: 'Give an image another name',
    load: async () => (await import('./commands/rmi.ts')).tag,
  },
  push: {
    summary: 'Upload an image to a registry',
    load: async () => (await import('./commands/push.ts')).push,
  },
  login: {
    summary: 'Say who you are to a registry',
    load: async () => (await import('./commands/login.ts')).login,
  },
  logout: {
    summary: 'Forget the password for a registry',
    load: async () => (await import('./commands/login.ts')).logout,
  },
  search: {
    summary: 'Search a registry for images',
    load: async () => (await import('./commands/search.ts')).search,
  },
  load: {
    summary: 'Take images in from an archive',
    load: async () => (await import('./commands/load.ts')).load,
  },
  save: {
    summary: 'Write images as an archive',
    load: async () => (await import('./commands/save.ts')).save,
  },
  import: {
    summary: 'Make an image out of a file system in a tar archive',
    load: async () => (await import('./commands/import.ts')).importImage,
  },
  history: {
    summary: 'Show what made an image',
    load: async () => (await import('./commands/history.ts')).history,
  },
  events: {
    summary: 'Watch what happens in the engine',
    load: async () => (await import('./commands/events.ts')).events,
  },
  info: {
    summary: 'Show facts about the engine and its host',
    load: async () => (await import('./commands/info.ts')).info,
  },
  version: {
    summary: 'Show the versions of the command and of the daemon',
    load: async () => (await import('./commands/version.ts')).version,
  },
  daemon: {
    summary: 'Run the engine (other commands start it when they need it)',
    load: async () => (await import('./commands/daemon.ts')).daemon,
  },
  completion: {
    summary: 'Print a completion script for bash, zsh or fish',
    load: async () => (await import('./commands/completion.ts')).completion(TABLE),
  },
  'container prune': {
    summary: 'Remove all containers that do not run',
    load: async () => (await import('./commands/prune.ts')).containerPrune,
  },
  'container inspect': {
    summary: 'Show everything about containers',
    load: async () => (await import('./commands/inspect.ts')).containerInspect,
  },
  'image inspect': {
    summary: 'Show everything about images',
    load: async () => (await import('./commands/inspect.ts')).imageInspect,
  },
  'image layers': {
    summary: 'Draw the layers of an image: what each adds, changes, deletes',
    load: async () => (await import('./commands/image-layers.ts')).imageLayers,
  },
  'manifest annotate': {
    summary: 'Say for which platform an image in a list is',
    load: async () => (await import('./commands/manifest.ts')).manifestAnnotate,
  },
  'manifest create': {
    summary: 'Put images of several platforms under one name',
    load: async () => (await import('./commands/manifest.ts')).manifestCreate,
  },
  'manifest inspect': {
    summary: 'Show a list, or what a registry has under a name',
    load: async () => (await import('./commands/manifest.ts')).manifestInspect,
  },
  'manifest push': {
    summary: 'Send a list to its registry',
    load: async () => (await import('./commands/manifest.ts')).manifestPush,
  },
  'manifest rm': {
    summary: 'Forget lists that are kept here',
    load: async () => (await import('./commands/manifest.ts')).manifestRemove,
  },
  'builder prune': {
    summary: 'Remove build cache',
    load: async () => (await import('./commands/prune.ts')).builderPrune,
  },
  'image prune': {
    summary: 'Remove images that nothing uses',
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
    summary: 'Put a container on a network',
    load: async () => (await import('./commands/network.ts')).networkConnect,
  },
  'network disconnect': {
    summary: 'Take a container off a network',
    load: async () => (await import('./commands/network.ts')).networkDisconnect,
  },
  'network map': {
    summary: 'Draw networks, cables, addresses and published ports',
    load: async () => (await import('./commands/network.ts')).networkMap,
  },
  'network inspect': {
    summary: 'Show everything about networks',
    load: async () => (await import('./commands/inspect.ts')).networkInspect,
  },
  'network prune': {
    summary: 'Remove networks that no container is on',
    load: async () => (await import('./commands/prune.ts')).networkPrune,
  },
  'network rm': {
    summary: 'Remove networks',
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
    summary: 'Show everything about volumes',
    load: async () => (await import('./commands/inspect.ts')).volumeInspect,
  },
  'volume prune': {
    summary: 'Remove volumes that no container uses',
    load: async () => (await import('./commands/prune.ts')).volumePrune,
  },
  'volume rm': {
    summary: 'Remove volumes',
    load: async () => (await import('./commands/volume.ts')).volumeRemove,
  },
  'system df': {
    summary: 'Show what takes how much of the disk',
    load: async () => (await import('./commands/system-df.ts')).systemDf,
  },
  'system prune': {
    summary: 'Remove everything that nothing uses',
    load: async () => (await import('./commands/prune.ts')).systemPrune,
  },
};

const IN_CONTAINER_GROUP = [
  'attach commit cp create diff exec export kill logs pause port rename restart rm run start stats stop top unpause',
  'update wait',
].flatMap(line => line.split(' '));

const IN_IMAGE_GROUP = ['history', 'import', 'load', 'pull', 'push', 'save', 'tag'];

/** Other names: 'container ls' is ps. */
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

/** The command of a name, a group's included; undefined when there is none. */
export function findCommand(name: string): Entry | undefined {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name];
  return Object.hasOwn(ALIASES, name) ? COMMANDS[ALIASES[name]!] : undefined;
}

/** Names behind a group's, or those of commands without a group; other names of the same command left out. */
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

/** All of it, for what writes texts about every command. */
export const TABLE: CommandTable = {
  names: [...Object.keys(COMMANDS), ...Object.keys(ALIASES)].sort(),
  groups: GROUPS,
  find: findCommand,
  inGroup: commandsOf,
};
