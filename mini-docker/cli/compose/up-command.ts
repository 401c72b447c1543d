// `compose up`.

import type { ContainerWaited } from '../../formats/engine-api/containers.ts';
import { CommandError } from '../errors.ts';
import { type FlagValues, integer, list, text, toggle } from '../flags/flags.ts';
import { printError } from '../show/output.ts';
import { type ComposeInvocation, composeCommand } from './command.ts';
import { chosenContainers, inOrder, type ProjectContainer, stopContainer, tolerating } from './containers.ts';
import { converge, type UpOptions, withDependencies } from './converge.ts';
import { followToEnd, lastOutput, prefixesOf, usesColors } from './follow.ts';
import { MOST_REPLICAS } from './project.ts';
import { healthy, startAll } from './start.ts';
import { watchedIn, watchFiles } from './watch-command.ts';

export const MAKE_FLAGS = {
  build: toggle('Build images before starting containers'),
  'force-recreate': toggle("Recreate containers even if their configuration and image haven't changed"),
  'no-build': toggle("Don't build an image, even if it's missing"),
  'no-recreate': toggle("If containers already exist, don't recreate them"),
  pull: text('policy', 'Pull image before running (always|missing|never)'),
  'quiet-build': toggle('Suppress the build output'),
  'quiet-pull': toggle('Pull without printing progress information'),
  'remove-orphans': toggle('Remove containers for services not defined in the Compose file'),
  scale: list('service=number', 'Scale SERVICE to NUM instances'),
  // Nothing is asked here.
  yes: toggle('Assume "yes" as answer to all prompts and run non-interactively', 'y'),
};

export const WAIT_FLAGS = {
  wait: toggle('Wait for services to be running|healthy. Implies detached mode'),
  'wait-timeout': integer('seconds', 'Maximum duration to wait for the project to be running|healthy'),
};

const FLAGS = {
  ...MAKE_FLAGS,
  'abort-on-container-exit': toggle('Stops all containers if any container was stopped'),
  'abort-on-container-failure': toggle('Stops all containers if any container exited with failure'),
  'always-recreate-deps': toggle('Recreate dependent containers'),
  attach: list('stringArray', 'Restrict attaching to the specified services'),
  detach: toggle('Detached mode: Run containers in the background', 'd'),
  'exit-code-from': text('service', 'Return the exit code of the selected service container'),
  'no-attach': list('stringArray', 'Do not attach (stream logs) to the specified services'),
  'no-color': toggle('Produce monochrome output'),
  'no-deps': toggle("Don't start linked services"),
  'no-log-prefix': toggle("Don't print prefix in logs"),
  'no-start': toggle("Don't start the services after creating them"),
  'renew-anon-volumes': toggle(
    'Recreate anonymous volumes instead of retrieving data from the previous containers',
    'V',
  ),
  timeout: integer('seconds', 'Use this timeout in seconds for container shutdown', 't'),
  timestamps: toggle('Show timestamps'),
  watch: toggle('Watch source code and rebuild/refresh containers when files are updated', 'w'),
  ...WAIT_FLAGS,
};

type Flags = FlagValues<typeof FLAGS>;

export function makeOptions(flags: FlagValues<typeof MAKE_FLAGS>, services: readonly string[]): UpOptions {
  if (flags['force-recreate'] && flags['no-recreate'])
    throw new CommandError('--force-recreate and --no-recreate are incompatible');
  if (flags.build && flags['no-build']) throw new CommandError('--build and --no-build are incompatible');
  const scale = readScale(flags.scale);
  const unknown = [...scale.keys()].find(name => !services.includes(name));
  if (unknown !== undefined) throw new CommandError(`no such service: ${unknown} (--scale)`);
  return {
    services,
    scale,
    build: flags.build,
    noBuild: flags['no-build'],
    pull: pullPolicy(flags.pull),
    quiet: flags['quiet-pull'],
    quietBuild: flags['quiet-build'],
    removeOrphans: flags['remove-orphans'],
    recreate: flags['force-recreate'] ? 'always' : flags['no-recreate'] ? 'never' : 'different',
  };
}

/** @throws CommandError */
export function pullPolicy(given: string | undefined): string | undefined {
  const policies = ['always', 'missing', 'never'];
  if (given === undefined || policies.includes(given)) return given;
  throw new CommandError(`invalid --pull option ${JSON.stringify(given)}: it is ${policies.join(', ')}`);
}

/** SERVICE=NUM, as many as there are. @throws CommandError */
export function readScale(words: readonly string[]): Map<string, number> {
  return new Map(
    words.map(each => {
      const [, name, count] = /^([^=]+)=(\d+)$/.exec(each) ?? [];
      if (name === undefined || Number(count) > MOST_REPLICAS)
        throw new CommandError(`invalid scale ${JSON.stringify(each)}: should be SERVICE=NUM`);
      return [name, Number(count)] as const;
    }),
  );
}

export const up = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  description: 'Only containers whose configuration or image has changed are recreated.',
  flags: FLAGS,
  needs: 'files',
  services: 'all',
  examples: [
    ['compose up -d', 'Start all services in the background'],
    ['compose up --build --scale worker=3', 'Build first, and start three workers'],
    ['compose up --exit-code-from test', 'Run until the tests end, and exit with their exit code'],
  ],
  async run(invocation) {
    const { flags, args, daemon, project } = invocation;
    const abort =
      flags['abort-on-container-exit'] ||
      flags['abort-on-container-failure'] ||
      flags['exit-code-from'] !== undefined;
    if (abort && (flags.detach || flags.wait))
      throw new CommandError(
        '--abort-on-container-exit, --abort-on-container-failure and --exit-code-from need the output: they are incompatible with --detach and --wait',
      );
    if (flags.watch && (flags.detach || flags.wait || flags['no-start'] || abort))
      throw new CommandError(
        '--watch needs the output: it is incompatible with --detach, --wait, --no-start and the end of one container',
      );
    if (flags.watch) watchedIn(project, args);
    for (const flag of ['exit-code-from', 'attach', 'no-attach'] as const)
      for (const name of [flags[flag] ?? []].flat())
        if (!Object.hasOwn(project.services, name))
          throw new CommandError(`no such service: ${name} (--${flag})`);
    const services = withDependencies(project, args, flags['no-deps']);
    const options = makeOptions(flags, services);
    if (options.recreate === 'always' && args.length > 0 && !flags['always-recreate-deps'])
      await converge(daemon, project, {
        ...options,
        recreate: 'different',
        services: services.filter(each => !args.includes(each)),
      });
    const containers = await converge(daemon, project, {
      ...options,
      renewVolumes: flags['renew-anon-volumes'],
      timeout: flags.timeout,
      ...(options.recreate === 'always' && args.length > 0 && !flags['always-recreate-deps']
        ? { services: args }
        : {}),
    });
    const all = (await chosenContainers({ daemon, project, services: [] })).filter(({ service }) =>
      services.includes(service),
    );
    if (flags['no-start']) return 0;
    const isDry = invocation.projectFlags['dry-run'];
    if (!flags.detach && !flags.wait && !isDry) return attached(invocation, all);
    await startAll({ daemon, project, containers: all });
    if (flags.wait) await allHealthy(invocation, containers);
  },
});

export async function allHealthy(
  { daemon, flags, project }: Pick<ComposeInvocation<typeof WAIT_FLAGS>, 'daemon' | 'flags' | 'project'>,
  containers: readonly ProjectContainer[],
): Promise<void> {
  // A service that others wait for to complete has already ended successfully.
  const jobs = new Set(
    Object.values(project.services).flatMap(({ depends_on = {} }) =>
      Object.keys(depends_on).filter(
        name => depends_on[name]!.condition === 'service_completed_successfully',
      ),
    ),
  );
  const lasting = containers.filter(({ service }) => !jobs.has(service));
  const waiting = Promise.all(lasting.map(each => healthy(daemon, { ...each, demanded: false })));
  const seconds = flags['wait-timeout'];
  if (seconds === undefined) {
    await waiting;
    return;
  }
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new CommandError(`not all containers are running and healthy after ${seconds} s`)),
    seconds * 1000,
  );
  try {
    await Promise.race([waiting, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function attached(
  { daemon, project, flags, args, projectFlags }: ComposeInvocation<typeof FLAGS>,
  containers: ProjectContainer[],
): Promise<number> {
  const prefixes = prefixesOf({
    daemon,
    project: project.name,
    containers,
    colors: usesColors(projectFlags.ansi, flags['no-color']),
    prefixes: !flags['no-log-prefix'],
  });
  // A container that is made anew while files are watched keeps its prefix.
  const byName = new Map(containers.map(({ id, name }) => [name, prefixes.get(id)!]));
  const ends: Promise<void>[] = [];
  const exited = Promise.withResolvers<{ service: string; code: number }>();
  const codes = new Map<string, number>();
  const stop = stopper({ daemon, project, flags, containers });
  const always = flags['abort-on-container-exit'] || flags['exit-code-from'] !== undefined;
  const onlyFailures = flags['abort-on-container-failure'] && !always;
  const follow = async (container: ProjectContainer, since: string | undefined) => {
    const { id, name, service } = container;
    const label = name.startsWith(`${project.name}-`) ? name.slice(project.name.length + 1) : name;
    const isShown =
      (flags.attach.length > 0
        ? flags.attach.includes(service)
        : project.services[service]?.attach !== false) && !flags['no-attach'].includes(service);
    const code = isShown
      ? await followToEnd(
          daemon,
          { id, prefix: byName.get(name) ?? `${label}  | `, label },
          { since, timestamps: flags.timestamps },
        )
      : (await daemon.json<ContainerWaited>('POST', `/containers/${id}/wait`)).StatusCode;
    codes.set(service, codes.get(service) || code);
    if (code !== 0 || !onlyFailures) exited.resolve({ service, code });
  };
  const around = async (container: ProjectContainer, start: () => Promise<void>) => {
    const since = await lastOutput(daemon, container);
    await start();
    const end = follow(container, since);
    // Errors are handled below; until then, only failed starts count.
    end.catch(() => {});
    ends.push(end);
  };
  const starting = startAll({ daemon, project, containers, around });
  try {
    await starting;
  } catch (error) {
    await stop.now();
    throw error;
  }
  if (flags.watch) {
    const ended = new AbortController();
    void stop.asked.then(() => ended.abort());
    const known = new Set(containers.map(({ id }) => id));
    const watching: Parameters<typeof watchFiles>[0] = {
      ...{ daemon, project, quiet: flags['quiet-build'], signal: ended.signal },
      async around(container, start) {
        if (known.has(container.id)) return start();
        known.add(container.id);
        containers.push(container);
        await around(container, start);
      },
    };
    await watchFiles(watching, watchedIn(project, args));
    return stop.end(Promise.allSettled(ends).then(() => {}));
  }
  const finished = Promise.all(ends).then(() => {});
  if (!always && !onlyFailures) {
    await Promise.race([finished, stop.asked]);
    return stop.wasAsked() ? await stop.end(finished) : 0;
  }
  const ended = onlyFailures ? finished : new Promise<never>(() => {});
  const first = await Promise.race([exited.promise, stop.asked, ended]);
  if (!first) return stop.wasAsked() ? stop.end(finished) : 0;
  printError(`Aborting on container exit...`);
  await stop.now();
  await finished;
  const from = flags['exit-code-from'];
  return from === undefined ? first.code : (codes.get(from) ?? 0);
}

interface Stopping {
  daemon: ComposeInvocation<typeof FLAGS>['daemon'];
  project: ComposeInvocation<typeof FLAGS>['project'];
  flags: Flags;
  containers: readonly ProjectContainer[];
}

/** The first Ctrl-C stops the containers, the second kills them. */
function stopper({ daemon, project, flags, containers }: Stopping) {
  const asked = Promise.withResolvers<void>();
  let times = 0;
  const now = () =>
    inOrder({ project, containers, reverse: true }, container =>
      stopContainer(daemon, { project, container, timeout: flags.timeout }),
    );
  const onSignal = () => {
    times += 1;
    if (times === 1) {
      printError('Gracefully stopping... (press Ctrl+C again to force)');
      asked.resolve();
    } else
      for (const { id } of containers)
        void tolerating([404, 409], daemon.text('POST', `/containers/${id}/kill`)).catch(() => {});
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    asked: asked.promise,
    wasAsked: () => times > 0,
    now,
    async end(finished: Promise<void>) {
      await now();
      await finished;
      return 130;
    },
  };
}
