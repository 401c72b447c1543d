// `compose watch`: brings changed files into running containers, or rebuilds and restarts services, as `develop` says.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, posix, relative } from 'node:path';
import { decodeDockerignore } from '../../formats/dockerignore.ts';
import { packTrees } from '../copy/pack-trees.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError } from '../errors.ts';
import { toggle } from '../flags/flags.ts';
import { printError } from '../show/output.ts';
import { composeCommand } from './command.ts';
import { chosenContainers, type ProjectContainer, progress } from './containers.ts';
import { converge, withDependencies } from './converge.ts';
import type { Trigger } from './develop.ts';
import { type Changes, follow } from './file-watch.ts';
import { runHook, variablesOfHook } from './hooks.ts';
import type { Project } from './project.ts';
import type { Service } from './service.ts';
import { type Starting, startAll } from './start.ts';

export const watch = composeCommand({
  usage: '[SERVICE...]',
  description:
    'The key develop of a service says which files are watched, and what happens when they change.',
  flags: {
    'no-up': toggle('Do not build & start services before watching'),
    quiet: toggle('hide build output'),
  },
  needs: 'files',
  services: 'all',
  examples: [['compose watch web', 'Start a service, and bring its changed files into its containers']],
  async run({ flags, args, daemon, project }) {
    const watched = watchedIn(project, args);
    if (!flags['no-up']) {
      const services = withDependencies(project, args);
      const containers = await converge(daemon, project, {
        services,
        build: true,
        quietBuild: flags.quiet,
      });
      await startAll({ daemon, project, containers });
    }
    const ended = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ended.abort());
    await watchFiles({ daemon, project, quiet: flags.quiet, signal: ended.signal }, watched);
    return 0;
  },
});

/** @throws CommandError when none of the services is watched, or what they name is not there */
export function watchedIn(project: Project, services: readonly string[]): Watched[] {
  const found = withDependencies(project, services, true).flatMap(name =>
    watchedOf(name, project.services[name]!),
  );
  if (found.length === 0)
    throw new CommandError(
      "none of the selected services is configured for watch, consider setting a 'develop' section",
    );
  return found;
}

/** Resolves when the signal aborts. */
export async function watchFiles(watching: Watching, watched: readonly Watched[]): Promise<void> {
  const services = [...new Set(watched.map(each => each.name))];
  await Promise.all(
    services.map(name =>
      watchService(
        watching,
        watched.filter(each => each.name === name),
      ),
    ),
  );
}

interface Watched {
  /** Name of the service. */
  name: string;
  service: Service;
  trigger: Trigger;
  isFile: boolean;
  ignores(path: string): boolean;
}

interface Watching {
  daemon: DaemonClient;
  project: Project;
  quiet: boolean;
  signal: AbortSignal;
  /** Wraps the start of each new container, and must call it. */
  around?: Starting['around'];
}

/** Files that editors make and remove again, and those of version control. */
const PASSING = ['**/.git', '**/*~', '**/.*.sw?', '**/.#*', '**/#*#', '**/4913', '**/.DS_Store'];

function watchedOf(name: string, service: Service): Watched[] {
  return (service.develop?.watch ?? []).map((trigger, index) => {
    const where = `services.${name}.develop.watch[${index}]`;
    const stats = statSync(trigger.path, { throwIfNoEntry: false });
    if (stats === undefined) throw new CommandError(`${where}: there is no ${trigger.path}`);
    if (trigger.action === 'rebuild' && service.build === undefined)
      throw new CommandError(`${where}: the service has no build, so nothing can be rebuilt`);
    const context = service.build?.context ?? '/';
    const file = join(context, '.dockerignore');
    const isInContext = trigger.path === context || trigger.path.startsWith(`${context}/`);
    const list = isInContext && existsSync(file) ? decodeDockerignore(readFileSync(file, 'utf8')) : undefined;
    const ignored = decodeDockerignore([...PASSING, ...(trigger.ignore ?? [])].join('\n'));
    const included =
      trigger.include === undefined ? undefined : decodeDockerignore(trigger.include.join('\n'));
    const isFile = !stats.isDirectory();
    const ignores = (path: string): boolean => {
      if (ignored.ignores(path) || list?.ignores(relative(context, join(trigger.path, path)))) return true;
      if (included === undefined || included.ignores(path)) return false;
      // A directory that is not included itself may hold files that are.
      return statSync(join(trigger.path, path), { throwIfNoEntry: false })?.isDirectory() !== true;
    };
    return { name, service, trigger, isFile, ignores };
  });
}

/** Collects the changes under all triggers of one service, and handles one batch after another. */
async function watchService(watching: Watching, all: readonly Watched[]): Promise<void> {
  const waiting = new Map<Watched, Changes>();
  let work = Promise.resolve();
  const { name } = all[0]!;
  const add = (each: Watched, { changed, removed }: Changes) => {
    const before = waiting.get(each) ?? { changed: [], removed: [] };
    waiting.set(each, {
      changed: [...new Set([...before.changed, ...changed])].filter(path => !removed.includes(path)),
      removed: [...new Set([...before.removed, ...removed])].filter(path => !changed.includes(path)),
    });
    work = work.then(async () => {
      const batch = [...waiting];
      waiting.clear();
      if (batch.length === 0 || watching.signal.aborted) return;
      // A mistake in a file must not end the watching: the next change may mend it.
      await act(watching, batch).catch((error: Error) => printError(`WARNING: ${name}: ${error.message}`));
    });
  };
  await Promise.all(
    all.map(async each => {
      const { path, action, initial_sync } = each.trigger;
      const following = follow({
        path,
        ignores: each.ignores,
        initially: initial_sync === true && action.startsWith('sync'),
        ready: () => printError(` Watch ${each.name}  ${path}`),
        signal: watching.signal,
      });
      for await (const changes of following) add(each, changes);
    }),
  );
  await work;
}

async function act(watching: Watching, batch: readonly (readonly [Watched, Changes])[]): Promise<void> {
  const { daemon, project } = watching;
  const { name } = batch[0]![0];
  const has = (action: string) => batch.some(([{ trigger }]) => trigger.action === action);
  if (has('rebuild')) return rebuild(watching, name);
  const containers = (await chosenContainers({ daemon, project, services: [name] })).filter(
    ({ state }) => state === 'running',
  );
  for (const [each, changes] of batch)
    if (each.trigger.action !== 'restart') await sync(watching, { ...each, changes, containers });
  if (!has('restart') && !has('sync+restart')) return;
  for (const { id, name: container } of containers) {
    progress('Container', container, 'Restarting');
    await daemon.text('POST', `/containers/${id}/restart`);
    progress('Container', container, 'Started');
  }
}

async function rebuild({ daemon, project, quiet, around }: Watching, name: string): Promise<void> {
  printError(` Watch ${name}  Rebuilding`);
  const containers = await converge(daemon, project, { services: [name], build: true, quietBuild: quiet });
  await startAll({ daemon, project, containers, ...(around && { around }) });
}

async function sync(
  { daemon, project }: Watching,
  given: Watched & { changes: Changes; containers: readonly ProjectContainer[] },
): Promise<void> {
  const { trigger, isFile, changes, containers, name } = given;
  const target = trigger.target!;
  /** Path in the container, without a leading slash. */
  const place = (path: string) => {
    const inside = isFile ? (target.endsWith('/') ? basename(trigger.path) : '') : path;
    return posix.join(target, inside).replace(/^\/+|\/+$/g, '');
  };
  const changed = new Set(isFile ? changes.changed.map(() => basename(trigger.path)) : changes.changed);
  const above = new Set<string>();
  for (const each of changed)
    for (let path = dirname(each); path !== '.' && !above.has(path); path = dirname(path)) above.add(path);
  const tree = {
    directory: isFile ? dirname(trigger.path) : trigger.path,
    wants: (path: string) => changed.has(path),
    mayHold: (path: string) => above.has(path),
    as: (path: string) => place(isFile ? '' : path),
  };
  for (const { id, name: container } of containers) {
    if (changed.size > 0)
      await daemon.text('PUT', `/containers/${id}/archive`, {
        query: { path: '/' },
        headers: { 'Content-Type': 'application/x-tar' },
        body: packTrees({ trees: [tree], doing: `cannot sync ${trigger.path}` }),
      });
    if (changes.removed.length > 0)
      await run({
        command: ['rm', '-rf', '--', ...changes.removed.map(path => `/${place(path)}`)],
        user: '0',
      });
    const count = changes.changed.length + changes.removed.length;
    progress('Container', container, `Synced ${count} ${count === 1 ? 'file' : 'files'}`);
    if (trigger.action === 'sync+exec') await run(trigger.exec!);

    async function run(hook: NonNullable<Trigger['exec']>): Promise<void> {
      const variables = variablesOfHook(hook, project.lookup);
      const code = await runHook(daemon, { id, name: container }, { ...hook, variables });
      if (code !== 0)
        throw new CommandError(`${name}: ${hook.command!.slice(0, 4).join(' ')} exited with status ${code}`);
    }
  }
}
