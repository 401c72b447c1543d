// Commands that do one thing to the containers of a project: down, start, stop, restart, kill, rm, pause, …

import type { ContainerWaited } from '../../formats/engine-api/containers.ts';
import { CommandError } from '../errors.ts';
import { integer, text, toggle } from '../flags/flags.ts';
import { print } from '../show/output.ts';
import { composeCommand } from './command.ts';
import { imageOf } from './container-body.ts';
import {
  chosenContainers,
  containersOf,
  inOrder,
  type ProjectContainer,
  progress,
  removeContainer,
  stopContainer,
  tolerating,
} from './containers.ts';
import { converge, withDependencies } from './converge.ts';
import { runHooks } from './hooks.ts';
import { imageId } from './images.ts';
import { startAll } from './start.ts';
import { remove, removeNetworks, removeVolumes } from './things.ts';
import { allHealthy, MAKE_FLAGS, makeOptions, readScale, WAIT_FLAGS } from './up-command.ts';

const TIMEOUT = integer('seconds', 'Specify a shutdown timeout in seconds', 't');

export const create = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: MAKE_FLAGS,
  needs: 'files',
  services: 'all',
  examples: [['compose create', 'Make the containers, and start none']],
  async run({ flags, args, daemon, project }) {
    await converge(daemon, project, makeOptions(flags, withDependencies(project, args)));
  },
});

export const down = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  description:
    'Containers and networks go; volumes and images stay unless --volumes and --rmi say otherwise.',
  flags: {
    'remove-orphans': toggle('Remove containers for services not defined in the Compose file'),
    rmi: text(
      'type',
      'Remove images used by services. "local" remove only images that don\'t have a custom tag ("local"|"all")',
    ),
    timeout: TIMEOUT,
    volumes: toggle('Remove named volumes and anonymous volumes attached to containers', 'v'),
  },
  needs: 'name',
  services: 'all',
  examples: [
    ['compose down', 'Remove the containers and networks'],
    ['compose down -v --rmi local', 'Remove volumes and the images that were built too'],
  ],
  async run({ flags, args, daemon, project }) {
    const { rmi } = flags;
    if (rmi !== undefined && rmi !== 'all' && rmi !== 'local')
      throw new CommandError(`invalid value for --rmi: ${JSON.stringify(rmi)} (it is local or all)`);
    const known = { ...project.services, ...project.disabled };
    const isOurs = ({ service }: ProjectContainer) =>
      flags['remove-orphans'] || Object.keys(known).length === 0 || Object.hasOwn(known, service);
    const containers = (await chosenContainers({ daemon, project, services: args, oneOffs: true })).filter(
      isOurs,
    );
    await inOrder({ project, containers, reverse: true }, async container => {
      if (container.state === 'running' || container.state === 'paused')
        await stopContainer(daemon, { project, container, timeout: flags.timeout });
      await removeContainer(daemon, container, flags.volumes);
    });
    if (rmi !== undefined) {
      const chosen = Object.entries(known).filter(([name]) => args.length === 0 || args.includes(name));
      const images = new Set(
        chosen
          .filter(([, { image }]) => rmi === 'all' || image === undefined)
          .map(([name, service]) => imageOf(project.name, name, service)),
      );
      for (const image of images)
        if (await imageId(daemon, image))
          await remove(daemon, { kind: 'Image', name: image, path: `/images/${encodeURIComponent(image)}` });
    }
    if (args.length > 0) return 0;
    await removeNetworks(daemon, project.name);
    if (flags.volumes) await removeVolumes(daemon, project.name);
  },
});

export const start = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: WAIT_FLAGS,
  needs: 'name',
  services: 'all',
  examples: [['compose start web', 'Start the containers of one service again']],
  async run({ flags, args, daemon, project }) {
    const containers = await chosenContainers({ daemon, project, services: args });
    const without = args.find(name => !containers.some(({ service }) => service === name));
    if (without !== undefined)
      throw new CommandError(`service ${JSON.stringify(without)} has no container to start`);
    await startAll({ daemon, project, containers, others: await containersOf(daemon, project.name) });
    if (flags.wait) await allHealthy({ daemon, flags, project }, containers);
  },
});

export const scale = composeCommand({
  usage: '[SERVICE=REPLICAS...]',
  flags: { 'no-deps': toggle("Don't start linked services") },
  count: [1],
  needs: 'files',
  examples: [['compose scale worker=3', 'Have three containers of one service']],
  async run({ flags, args, daemon, project }) {
    const counts = readScale(args);
    const services = withDependencies(project, [...counts.keys()], flags['no-deps']);
    const containers = await converge(daemon, project, { services, scale: counts, recreate: 'never' });
    await startAll({ daemon, project, containers });
  },
});

export const stop = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: { timeout: TIMEOUT },
  needs: 'name',
  services: 'all',
  examples: [['compose stop -t 2', 'Stop all containers; kill those that take longer than two seconds']],
  async run({ flags, args, daemon, project }) {
    const containers = (await chosenContainers({ daemon, project, services: args })).filter(
      ({ state }) => state !== 'exited' && state !== 'created',
    );
    await inOrder({ project, containers, reverse: true }, container =>
      stopContainer(daemon, { project, container, timeout: flags.timeout }),
    );
  },
});

export const restart = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: { 'no-deps': toggle("Don't restart dependent services"), timeout: TIMEOUT },
  needs: 'name',
  services: 'all',
  examples: [['compose restart web', 'Restart the containers of one service']],
  async run({ flags, args, daemon, project }) {
    // With `depends_on: {db: {restart: true}}` a service is restarted when db is.
    const followers = Object.entries(project.services).filter(
      ([, { depends_on = {} }]) => !flags['no-deps'] && args.some(name => depends_on[name]?.restart),
    );
    const services = [...args, ...followers.map(([name]) => name)];
    const containers = await chosenContainers({ daemon, project, services });
    await inOrder({ project, containers, reverse: false }, async container => {
      const { id, name, state } = container;
      progress('Container', name, 'Restarting');
      if (state === 'running') await runHooks(daemon, { project, container, kind: 'pre_stop' });
      await daemon.text('POST', `/containers/${id}/restart`, { query: { t: flags.timeout } });
      await runHooks(daemon, { project, container, kind: 'post_start' });
      progress('Container', name, 'Started');
    });
  },
});

export const kill = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    'remove-orphans': toggle('Kill containers for services not defined in the Compose file'),
    signal: text('string', 'SIGNAL to send to the container', 's'),
  },
  needs: 'name',
  services: 'all',
  examples: [['compose kill -s SIGHUP web', 'Let a service read its configuration again']],
  async run({ flags, args, daemon, project }) {
    const isKnown = ({ service }: ProjectContainer) =>
      flags['remove-orphans'] ||
      Object.keys(project.services).length === 0 ||
      Object.hasOwn(project.services, service);
    const containers = (await chosenContainers({ daemon, project, services: args })).filter(
      each => each.state === 'running' && isKnown(each),
    );
    await Promise.all(
      containers.map(async ({ id, name }) => {
        progress('Container', name, 'Killing');
        await tolerating(
          [409],
          daemon.text('POST', `/containers/${id}/kill`, { query: { signal: flags.signal } }),
        );
        progress('Container', name, 'Killed');
      }),
    );
  },
});

export const rm = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  description: 'Only stopped containers are removed, unless --stop ends the others first.',
  flags: {
    force: toggle("Don't ask to confirm removal", 'f'),
    stop: toggle('Stop the containers, if required, before removing', 's'),
    volumes: toggle('Remove any anonymous volumes attached to containers', 'v'),
  },
  needs: 'name',
  services: 'all',
  examples: [['compose rm -fs worker', 'Stop and remove the containers of one service']],
  async run({ flags, args, daemon, project }) {
    const all = await chosenContainers({ daemon, project, services: args });
    const isUp = ({ state }: ProjectContainer) =>
      state === 'running' || state === 'paused' || state === 'restarting';
    if (flags.stop)
      await inOrder({ project, containers: all.filter(isUp), reverse: true }, container =>
        stopContainer(daemon, { project, container }),
      );
    const containers = flags.stop ? all : all.filter(each => !isUp(each));
    if (containers.length === 0) {
      print('No stopped containers');
      return 0;
    }
    if (!flags.force && !(await confirmed(containers.map(({ name }) => name)))) return 0;
    await Promise.all(containers.map(each => removeContainer(daemon, each, flags.volumes)));
  },
});

async function confirmed(names: readonly string[]): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test(
      (await asking.question(`Going to remove ${names.join(', ')}\nAre you sure? [yN] `)).trim(),
    );
  } finally {
    asking.close();
  }
}

const freezing = (verb: 'pause' | 'unpause', from: string, done: string) =>
  composeCommand({
    usage: '[SERVICE...]',
    needs: 'name',
    services: 'all',
    examples: [
      [`compose ${verb} web`, `${done === 'Paused' ? 'Stop' : 'Let go on'} all processes of one service`],
    ],
    async run({ args, daemon, project }) {
      const containers = (await chosenContainers({ daemon, project, services: args })).filter(
        ({ state }) => state === from,
      );
      await Promise.all(
        containers.map(async ({ id, name }) => {
          await daemon.text('POST', `/containers/${id}/${verb}`);
          progress('Container', name, done);
        }),
      );
    },
  });
export const pause = freezing('pause', 'running', 'Paused');
export const unpause = freezing('unpause', 'paused', 'Unpaused');

export const wait = composeCommand({
  usage: 'SERVICE [SERVICE...] [OPTIONS]',
  description: "Exits with the first container's exit code, and prints the exit codes of all.",
  flags: { 'down-project': toggle('Drops project when the first container stops') },
  needs: 'name',
  services: 'all',
  examples: [['compose wait job', 'Wait until the containers of a service end']],
  async run({ flags, args, daemon, project, ...rest }) {
    const containers = await chosenContainers({ daemon, project, services: args });
    if (containers.length === 0)
      throw new CommandError(`no containers for project ${JSON.stringify(project.name)}`);
    let first: number | undefined;
    const waiting = containers.map(async ({ id, name }) => {
      const { StatusCode } = await daemon.json<ContainerWaited>('POST', `/containers/${id}/wait`);
      first ??= StatusCode;
      print(`container ${JSON.stringify(name)} exited with status code ${StatusCode}`);
    });
    if (!flags['down-project']) await Promise.all(waiting);
    else {
      await Promise.race(waiting);
      const { daemon: _, ...invocation } = { ...rest, daemon };
      await down.run({
        ...invocation,
        daemon,
        args: [],
        given: new Set(),
        name: 'compose down',
        group: rest.projectFlags,
        flags: { 'remove-orphans': false, rmi: undefined, timeout: undefined, volumes: false },
      });
    }
    return first ?? 0;
  },
});
