// Commands that show information: ps, ls, images, top, port, events, version, logs.

import { describeDuration } from '../../formats/durations.ts';
import type { ContainerSummary, ContainerTop } from '../../formats/engine-api/containers.ts';
import type { EventMessage } from '../../formats/engine-api/system.ts';
import { decodeReference, familiarName } from '../../formats/image-reference.ts';
import { VERSION } from '../../formats/program-version.ts';
import { shortId } from '../../formats/short-id.ts';
import { encodeSize } from '../../formats/sizes.ts';
import { encodeTimestamp } from '../../formats/timestamp.ts';
import { command } from '../command.ts';
import { point } from '../commands/logs.ts';
import { printVolumes, type Volume } from '../commands/volume.ts';
import { encodeFilters } from '../daemon/client.ts';
import { CommandError } from '../errors.ts';
import { filterFlag } from '../flags/filter.ts';
import { integer, list, text, toggle, toggleOff } from '../flags/flags.ts';
import { describePorts } from '../run/ports.ts';
import { type Columns, ellipsis, formatFlag, printListing } from '../show/listing.ts';
import { print, write } from '../show/output.ts';
import { encodeTable } from '../show/table.ts';
import { composeCommand } from './command.ts';
import { chosenContainers, inspect, oneContainer, type ProjectContainer } from './containers.ts';
import { prefixesOf, showLog, usesColors } from './follow.ts';
import { LABEL } from './labels.ts';

const containerColumns = (cut: boolean): Columns<ProjectContainer> => ({
  ID: { header: 'ID', value: ({ id }) => (cut ? id.slice(0, 12) : id) },
  Name: { header: 'NAME', value: ({ name }) => name },
  Image: { header: 'IMAGE', value: ({ summary }) => summary.Image },
  Command: {
    header: 'COMMAND',
    value: ({ summary }) => JSON.stringify(cut ? ellipsis(summary.Command, 20) : summary.Command),
  },
  Service: { header: 'SERVICE', value: ({ service }) => service },
  Project: { header: 'PROJECT', value: ({ summary }) => summary.Labels[LABEL.project] },
  CreatedAt: {
    header: 'CREATED',
    value: ({ summary }) => `${describeDuration(Date.now() / 1000 - summary.Created)} ago`,
  },
  State: { header: 'STATE', value: ({ state }) => state },
  Status: { header: 'STATUS', value: ({ summary }) => summary.Status },
  Ports: { header: 'PORTS', value: ({ summary }) => describePorts(summary.Ports) },
});

export const ps = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    all: toggle('Show all stopped containers (including those created by the run command)', 'a'),
    filter: filterFlag('Filter services by a property (supported filters: status)'),
    format: formatFlag(),
    'no-trunc': toggle("Don't truncate output"),
    orphans: toggleOff('Include orphaned services (not declared by project)'),
    quiet: toggle('Only display IDs', 'q'),
    services: toggle('Display services'),
    status: list(
      'status',
      'Filter services by status (paused, restarting, removing, running, dead, created, exited)',
    ),
  },
  needs: 'name',
  services: 'all',
  examples: [['compose ps -a', 'List all containers of the project']],
  async run({ flags, args, daemon, project }) {
    const odd = flags.filter.find(([key]) => key !== 'status');
    if (odd) throw new CommandError(`invalid filter ${JSON.stringify(odd[0])}: containers have a status`);
    const statuses = [...flags.status, ...flags.filter.map(([, value]) => value)];
    const isKnown = (name: string) => Object.hasOwn({ ...project.services, ...project.disabled }, name);
    const rows = (await chosenContainers({ daemon, project, services: args, oneOffs: flags.all })).filter(
      ({ state, service }) =>
        (flags.orphans || isKnown(service)) &&
        (statuses.length > 0
          ? statuses.includes(state)
          : flags.all || ['running', 'paused', 'restarting'].includes(state)),
    );
    if (flags.services) for (const name of new Set(rows.map(({ service }) => service))) print(name);
    else if (flags.quiet) for (const { id } of rows) print(id);
    else
      await printListing({
        columns: containerColumns(!flags['no-trunc']),
        rows,
        shown: ['Name', 'Image', 'Command', 'Service', 'CreatedAt', 'Status', 'Ports'],
        format: flags.format,
      });
  },
});

interface Listed {
  name: string;
  states: string[];
  files: string;
}

const PROJECT: Columns<Listed> = {
  Name: { header: 'NAME', value: ({ name }) => name },
  Status: {
    header: 'STATUS',
    value: ({ states }) =>
      [...new Set(states)]
        .sort()
        .map(state => `${state}(${states.filter(each => each === state).length})`)
        .join(', '),
  },
  ConfigFiles: { header: 'CONFIG FILES', value: ({ files }) => files },
};

export const ls = command({
  usage: '[OPTIONS]',
  flags: {
    all: toggle('Show all stopped Compose projects', 'a'),
    filter: filterFlag('Filter output based on conditions provided (name)'),
    format: formatFlag(),
    quiet: toggle('Only display project names', 'q'),
  },
  examples: [['compose ls', 'List the projects that run']],
  async run({ flags, daemon }) {
    const filters = encodeFilters([['label', LABEL.project]]);
    const containers = await daemon.json<ContainerSummary[]>('GET', '/containers/json', {
      query: { all: true, filters },
    });
    const found = new Map<string, Listed>();
    for (const { Labels, State } of containers) {
      const name = Labels[LABEL.project]!;
      const project = found.get(name) ?? { name, states: [], files: Labels[LABEL.files] ?? 'N/A' };
      project.states.push(State);
      found.set(name, project);
    }
    const wanted = flags.filter.filter(([key]) => key === 'name').map(([, value]) => value);
    const bad = flags.filter.find(([key]) => key !== 'name');
    if (bad) throw new CommandError(`invalid filter ${JSON.stringify(bad[0])}: projects have a name`);
    const rows = [...found.values()]
      .filter(({ states }) => flags.all || states.includes('running'))
      .filter(({ name }) => wanted.length === 0 || wanted.some(each => name.includes(each)))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    await printListing({
      columns: PROJECT,
      rows,
      shown: ['Name', 'Status', 'ConfigFiles'],
      format: flags.format,
      quiet: flags.quiet && 'Name',
    });
  },
});

interface ImageRow {
  container: string;
  image: string;
  id: string;
  size: number;
}

const named = (image: string) => {
  try {
    const reference = decodeReference(image);
    return { repository: familiarName(reference), tag: reference.tag ?? 'latest' };
  } catch {
    return { repository: '<none>', tag: '<none>' };
  }
};

const IMAGE: Columns<ImageRow> = {
  ContainerName: { header: 'CONTAINER', value: ({ container }) => container },
  Repository: { header: 'REPOSITORY', value: ({ image }) => named(image).repository },
  Tag: { header: 'TAG', value: ({ image }) => named(image).tag },
  ID: { header: 'IMAGE ID', value: ({ id }) => shortId(id) },
  Size: { header: 'SIZE', value: ({ size }) => encodeSize(size) },
};

export const images = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: { format: formatFlag(), quiet: toggle('Only display IDs', 'q') },
  needs: 'name',
  services: 'all',
  examples: [['compose images', 'List the images of the containers']],
  async run({ flags, args, daemon, project }) {
    const containers = await chosenContainers({ daemon, project, services: args });
    const rows = await Promise.all(
      containers.map(async ({ name, summary }) => {
        const { Size } = await daemon.json<{ Size: number }>('GET', `/images/${summary.ImageID}/json`);
        return { container: name, image: summary.Image, id: summary.ImageID, size: Size };
      }),
    );
    if (flags.quiet) for (const id of new Set(rows.map(({ id }) => id))) print(id.replace(/^sha256:/, ''));
    else
      await printListing({
        columns: IMAGE,
        rows,
        shown: ['ContainerName', 'Repository', 'Tag', 'ID', 'Size'],
        format: flags.format,
      });
  },
});

export const top = composeCommand({
  usage: '[SERVICE...]',
  needs: 'name',
  services: 'all',
  examples: [['compose top', 'List the processes of all containers']],
  async run({ args, daemon, project }) {
    for (const { id, name, state } of await chosenContainers({ daemon, project, services: args })) {
      if (state !== 'running') continue;
      const { Titles, Processes } = await daemon.json<ContainerTop>('GET', `/containers/${id}/top`);
      print(name);
      write(`${encodeTable([Titles, ...Processes])}\n`);
    }
  },
});

export const port = composeCommand({
  usage: '[OPTIONS] SERVICE PRIVATE_PORT',
  flags: {
    index: integer('int', 'Index of the container if service has multiple replicas'),
    protocol: text('string', 'tcp or udp'),
  },
  needs: 'name',
  services: 'first',
  examples: [['compose port web 80', 'Show where a port of a service is published']],
  async run({ flags, args, daemon, project }) {
    const [service, wanted] = args as [string, string];
    const { id } = await oneContainer({ daemon, project, service, index: flags.index });
    const { NetworkSettings } = await inspect(daemon, id);
    const key = `${wanted}/${flags.protocol ?? 'tcp'}`;
    const [binding] = NetworkSettings.Ports[key] ?? [];
    if (!binding) throw new CommandError(`no port ${key} for container ${service} is published`);
    const { HostIp = '', HostPort } = binding;
    print(`${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`);
  },
});

export const events = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    json: toggle('Output events as a stream of json objects'),
    since: text('string', 'Show all events created since timestamp'),
    until: text('string', 'Stream events until this timestamp'),
  },
  needs: 'name',
  services: 'all',
  examples: [['compose events --json', 'Watch the containers of the project']],
  async run({ flags, args, daemon, project }) {
    const now = new Date();
    const filters = encodeFilters([
      ['type', 'container'],
      ['label', `${LABEL.project}=${project.name}`],
    ]);
    const query = {
      filters,
      since: point('since', flags.since, now),
      until: point('until', flags.until, now),
    };
    for await (const event of daemon.jsonStream<EventMessage>('GET', '/events', { query })) {
      const { Actor, Action, time, timeNano } = event;
      const service = Actor.Attributes[LABEL.service] ?? '';
      if (args.length > 0 && !args.includes(service)) continue;
      const nanoseconds = BigInt(time) * 1_000_000_000n + (BigInt(timeNano) % 1_000_000_000n);
      const shown = Object.entries(Actor.Attributes).filter(
        ([key]) => !key.startsWith('com.docker.compose.'),
      );
      if (flags.json)
        print(
          JSON.stringify({
            time: encodeTimestamp(nanoseconds),
            type: 'container',
            service,
            id: Actor.ID,
            action: Action,
            attributes: Object.fromEntries(shown),
          }),
        );
      else
        print(
          `${encodeTimestamp(nanoseconds)} container ${Action} ${Actor.ID} (${shown.map(([key, value]) => `${key}=${value}`).join(', ')})`,
        );
    }
  },
});

export const logs = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    follow: toggle('Follow log output', 'f'),
    index: integer('int', 'Index of the container if service has multiple replicas'),
    'no-color': toggle('Produce monochrome output'),
    'no-log-prefix': toggle("Don't print prefix in logs"),
    since: text(
      'string',
      'Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)',
    ),
    tail: text('string', 'Number of lines to show from the end of the logs for each container', 'n'),
    timestamps: toggle('Show timestamps', 't'),
    until: text(
      'string',
      'Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)',
    ),
  },
  needs: 'name',
  services: 'all',
  examples: [['compose logs -f --tail 10 web', 'Show the last ten lines of a service and follow']],
  async run({ flags, args, daemon, project, projectFlags }) {
    const now = new Date();
    const all = await chosenContainers({ daemon, project, services: args });
    const containers = all.filter(({ number }) => flags.index === undefined || number === flags.index);
    const colors = usesColors(projectFlags.ansi, flags['no-color']);
    const prefixes = prefixesOf({
      daemon,
      project: project.name,
      containers,
      colors,
      prefixes: !flags['no-log-prefix'],
    });
    const query = {
      follow: flags.follow,
      since: point('since', flags.since, now),
      until: point('until', flags.until, now),
      tail: flags.tail ?? 'all',
      timestamps: flags.timestamps,
    };
    const show = ({ id }: ProjectContainer) => showLog(daemon, { id, prefix: prefixes.get(id)! }, query);
    if (flags.follow) await Promise.all(containers.map(show));
    else for (const each of containers) await show(each);
  },
});

export const volumes = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: { format: formatFlag(), quiet: toggle('Only display volume names', 'q') },
  needs: 'name',
  services: 'all',
  examples: [['compose volumes', 'List the volumes of the project']],
  async run({ flags, args, daemon, project }) {
    await chosenContainers({ daemon, project, services: args });
    const { Volumes } = await daemon.json<{ Volumes: Volume[] | null }>('GET', '/volumes', {
      query: { filters: encodeFilters([['label', `${LABEL.project}=${project.name}`]]) },
    });
    const used = new Set(
      args.flatMap(name =>
        (project.services[name]?.volumes ?? []).map(({ source }) => project.volumes[source!]?.name),
      ),
    );
    await printVolumes(
      (Volumes ?? []).filter(({ Name }) => args.length === 0 || used.has(Name)),
      flags,
    );
  },
});

export const version = command({
  usage: '[OPTIONS]',
  flags: {
    format: text('string', 'Format the output. Values: [pretty | json]', 'f'),
    short: toggle("Shows only Compose's version number"),
  },
  examples: [['compose version', 'Show the version']],
  async run({ flags }) {
    if (flags.short) print(VERSION);
    else if (flags.format === 'json') print(JSON.stringify({ version: VERSION }));
    else print(`mini-docker compose version ${VERSION}`);
  },
});
