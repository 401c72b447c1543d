// `compose exec`, `run` and `cp`.

import { CommandError } from '../errors.ts';
import { decodeEnvFile } from '../flags/env-file.ts';
import { list, text, toggle } from '../flags/flags.ts';
import { ownVariables, readBytes } from '../run/create-body.ts';
import { print } from '../show/output.ts';
import { composeCommand } from './command.ts';
import { oneContainer } from './containers.ts';
import { converge, createContainer, planOneOff, withDependencies } from './converge.ts';
import { ensureImages, runOther } from './images.ts';
import { INDEX } from './one-container-commands.ts';
import type { Service } from './service.ts';
import { service as serviceShape } from './service.ts';
import { labels as labelsShape, type Shape } from './shapes.ts';
import type { Source } from './source.ts';
import { startAll, waitForDependencies } from './start.ts';
import { pullPolicy } from './up-command.ts';
import { splitWords } from './words.ts';

export const exec = composeCommand({
  usage: '[OPTIONS] SERVICE COMMAND [ARG...]',
  description: 'There is a terminal unless -T says otherwise, or standard input is none.',
  flags: {
    detach: toggle('Detached mode: Run command in the background', 'd'),
    env: list('list', 'Set environment variables', 'e'),
    index: INDEX,
    interactive: { ...toggle('Keep STDIN open even if not attached', 'i'), initial: true },
    'no-tty': toggle('Disable pseudo-TTY allocation', 'T'),
    privileged: toggle('Give extended privileges to the process'),
    tty: { ...toggle('Allocate a pseudo-TTY, as without it', 't'), hidden: true },
    user: text('string', 'Run the command as this user', 'u'),
    workdir: text('string', 'Path to workdir directory for this command', 'w'),
  },
  passThrough: true,
  needs: 'name',
  services: 'first',
  examples: [
    ['compose exec web sh', 'Open a shell in a running service'],
    ['compose exec -T db cat /etc/hosts', 'Read a file without a terminal'],
  ],
  async run({ flags, args, daemon, project }) {
    const [service, ...words] = args as [string, ...string[]];
    const { id } = await oneContainer({ daemon, project, service, index: flags.index });
    const { exec: command } = await import('../commands/exec.ts');
    const isTerminal = Boolean(process.stdin.isTTY && process.stdout.isTTY) && !flags['no-tty'];
    const { detach, privileged, env, user, workdir } = flags;
    const interactive = flags.interactive && !detach;
    const given = { detach, interactive, tty: isTerminal && !detach, privileged, env, user, workdir };
    return runOther(command, { daemon, flags: given, args: [id, ...words] });
  },
});

export const cp = composeCommand({
  usage: '[OPTIONS] SERVICE:SRC_PATH DEST_PATH|- | SRC_PATH|- SERVICE:DEST_PATH',
  flags: {
    archive: toggle('Archive mode (copy all uid/gid information)', 'a'),
    'follow-link': toggle('Always follow symbol link in SRC_PATH', 'L'),
    index: INDEX,
  },
  count: [2, 2],
  needs: 'name',
  examples: [['compose cp web:/etc/hosts .', 'Copy a file out of a service']],
  async run({ flags, args, daemon, project }) {
    const place = async (path: string) => {
      const [, service, inside] = /^([^/.:][^/:]*):(.*)$/s.exec(path) ?? [];
      if (service === undefined) return path;
      const { id } = await oneContainer({ daemon, project, service, index: flags.index ?? 1 });
      return `${id}:${inside}`;
    };
    const { cp: command } = await import('../commands/cp.ts');
    const { archive, 'follow-link': followLink } = flags;
    const places = await Promise.all(args.map(place));
    return runOther(command, { daemon, flags: { archive, 'follow-link': followLink }, args: places });
  },
});

export const run = composeCommand({
  usage: '[OPTIONS] SERVICE [COMMAND] [ARG...]',
  description:
    "Exits with the program's exit code. Ports of the service are published only with --service-ports.",
  flags: {
    build: toggle('Build image before starting container'),
    'cap-add': list('list', 'Add Linux capabilities'),
    'cap-drop': list('list', 'Drop Linux capabilities'),
    detach: toggle('Run container in background and print container ID', 'd'),
    entrypoint: text('string', 'Override the entrypoint of the image'),
    env: list('list', 'Set environment variables', 'e'),
    'env-from-file': list('list', 'Set environment variables from file'),
    interactive: { ...toggle('Keep STDIN open even if not attached', 'i'), initial: true },
    label: list('list', 'Add or override a label', 'l'),
    name: text('string', 'Assign a name to the container'),
    'no-deps': toggle("Don't start linked services"),
    'no-tty': toggle('Disable pseudo-TTY allocation', 'T'),
    publish: list('list', "Publish a container's port(s) to the host", 'p'),
    pull: text('policy', 'Pull image before running ("always"|"missing"|"never")'),
    'quiet-build': toggle('Suppress progress output from the build process'),
    'quiet-pull': toggle('Pull without printing progress information'),
    'remove-orphans': toggle('Remove containers for services not defined in the Compose file'),
    rm: toggle('Automatically remove the container when it exits'),
    'service-ports': toggle("Run command with all service's ports enabled and mapped to the host", 'P'),
    'use-aliases': toggle("Use the service's network aliases in the network(s) the container connects to"),
    user: text('string', 'Run as specified username or uid', 'u'),
    volume: list('list', 'Bind mount a volume', 'v'),
    workdir: text('string', 'Working directory inside the container', 'w'),
  },
  passThrough: true,
  needs: 'files',
  services: 'first',
  examples: [
    ['compose run --rm web sh', 'Open a shell in a new container of a service'],
    ['compose run --rm -T test npm test', 'Run a job, with its services started first'],
  ],
  async run({ flags, args, daemon, project }) {
    const [name, ...words] = args as [string, ...string[]];
    const own = project.services[name];
    if (own === undefined) throw new CommandError(`no such service: ${name}`);
    const needed = withDependencies(project, [name]).filter(each => each !== name);
    await ensureImages(
      { daemon, project, services: [name] },
      {
        build: flags.build,
        quiet: flags['quiet-pull'],
        quietBuild: flags['quiet-build'],
        pull: pullPolicy(flags.pull),
      },
    );
    if (!flags['no-deps'] && needed.length > 0) {
      const containers = await converge(daemon, project, {
        services: needed,
        quiet: flags['quiet-pull'],
        quietBuild: flags['quiet-build'],
        removeOrphans: flags['remove-orphans'],
      });
      await startAll({ daemon, project, containers });
      await waitForDependencies({ daemon, project, containers }, name);
    }
    const isTerminal =
      Boolean(process.stdin.isTTY && process.stdout.isTTY) && !flags['no-tty'] && !flags.detach;
    const isInteractive = flags.interactive && !flags.detach;
    const extra = (key: 'ports' | 'volumes', values: readonly string[]) =>
      (serviceShape as Shape<Service>)(written(key, values), {
        directory: process.cwd(),
        home: process.env.HOME,
        raw: false,
      })[key];
    // A container that is meant to end must not be restarted.
    const { container_name: _, restart: __, deploy: ___, ports = [], volumes = [], ...rest } = own;
    const environment = Object.fromEntries(
      [
        ...flags['env-from-file'].flatMap(file => decodeEnvFile(readBytes(file), key => process.env[key])),
        ...ownVariables(flags.env, process.env),
      ].map(each => each.split(/=(.*)/s, 2) as [string, string]),
    );
    const service: Service = {
      ...rest,
      ...(words.length > 0 ? { command: words } : {}),
      ...(flags.entrypoint === undefined
        ? {}
        : { entrypoint: flags.entrypoint === '' ? [''] : splitWords(flags.entrypoint), command: words }),
      environment: { ...own.environment, ...environment },
      labels: {
        ...own.labels,
        ...labelsShape(written('labels', flags.label, true), { directory: '', home: undefined, raw: false }),
      },
      ports: [
        ...(flags['service-ports'] ? ports : []),
        ...((extra('ports', flags.publish) as typeof ports | undefined) ?? []),
      ],
      volumes: [...volumes, ...((extra('volumes', flags.volume) as typeof volumes | undefined) ?? [])],
      cap_add: [...(own.cap_add ?? []), ...flags['cap-add']],
      cap_drop: [...(own.cap_drop ?? []), ...flags['cap-drop']],
      tty: isTerminal,
      stdin_open: isInteractive,
      ...(flags.user === undefined ? {} : { user: flags.user }),
      ...(flags.workdir === undefined ? {} : { working_dir: flags.workdir }),
    };
    const { plan, containerName } = await planOneOff({
      daemon,
      project,
      name,
      service,
      containerName: flags.name,
      aliases: flags['use-aliases'],
    });
    plan.body.StdinOnce = isInteractive;
    plan.body.AttachStdin = isInteractive;
    plan.body.HostConfig!.AutoRemove = flags.rm;
    const id = await createContainer(daemon, plan, containerName);
    if (flags.detach) {
      await daemon.text('POST', `/containers/${id}/start`);
      print(id);
      return 0;
    }
    const { start } = await import('../commands/start.ts');
    return runOther(start, { daemon, flags: { attach: true, interactive: isInteractive }, args: [id] });
  },
});

/** The values of a flag, as they would be written in a file. */
function written(key: string, values: readonly string[], bare = false): Source {
  const place = 'command line';
  const list: Source = { place, path: key, value: values.map(value => ({ place, path: key, value })) };
  return bare ? list : { place, path: '', value: new Map(values.length > 0 ? [[key, list]] : []) };
}
