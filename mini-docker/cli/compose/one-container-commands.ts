// `compose attach`, `commit`, `export` and `stats`: the commands for containers, with a service in a container's place.

import { CommandError } from '../errors.ts';
import { integer, list, text, toggle, toggleOff } from '../flags/flags.ts';
import { formatFlag } from '../show/listing.ts';
import { composeCommand } from './command.ts';
import { chosenContainers, oneContainer } from './containers.ts';
import { runOther } from './images.ts';

export const INDEX = integer('int', 'Index of the container if service has multiple replicas');

export const attach = composeCommand({
  usage: '[OPTIONS] SERVICE',
  flags: {
    'detach-keys': text('string', 'Override the key sequence for detaching from a container'),
    index: INDEX,
    'no-stdin': toggle('Do not attach STDIN'),
    'sig-proxy': toggleOff('Proxy all received signals to the process'),
  },
  needs: 'name',
  services: 'all',
  examples: [['compose attach web', 'Join the input and output of a running service']],
  async run({ flags, args, daemon, project }) {
    const { id } = await oneContainer({ daemon, project, service: args[0]!, index: flags.index });
    const { attach: command } = await import('../commands/attach.ts');
    const { index: _, ...same } = flags;
    return runOther(command, { daemon, flags: same, args: [id] });
  },
});

export const commit = composeCommand({
  usage: '[OPTIONS] SERVICE [REPOSITORY[:TAG]]',
  flags: {
    author: text('string', 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', 'a'),
    change: list('list', 'Apply Dockerfile instruction to the created image', 'c'),
    index: INDEX,
    message: text('string', 'Commit message', 'm'),
    pause: { ...toggleOff('Pause container during commit'), short: 'p' },
  },
  needs: 'name',
  services: 'first',
  examples: [['compose commit web web:patched', "Save a service's changes as an image"]],
  async run({ flags, args, daemon, project }) {
    const [service, ...image] = args as [string, ...string[]];
    const { id } = await anyContainer({ daemon, project, service, index: flags.index });
    const { commit: command } = await import('../commands/commit.ts');
    const { index: _, ...same } = flags;
    return runOther(command, { daemon, flags: same, args: [id, ...image] });
  },
});

const exportContainer = composeCommand({
  usage: '[OPTIONS] SERVICE',
  flags: {
    index: INDEX,
    output: text('string', 'Write to a file, instead of STDOUT', 'o'),
  },
  needs: 'name',
  services: 'all',
  examples: [['compose export -o web.tar web', "Export a service's filesystem"]],
  async run({ flags, args, daemon, project }) {
    const { id } = await anyContainer({ daemon, project, service: args[0]!, index: flags.index });
    const { export: command } = await import('../commands/export.ts');
    return runOther(command, { daemon, flags: { output: flags.output }, args: [id] });
  },
});

export const stats = composeCommand({
  usage: '[OPTIONS] [SERVICE]',
  flags: {
    all: toggle('Show all containers (default shows just running)', 'a'),
    format: formatFlag(),
    'no-stream': toggle('Disable streaming stats and only pull the first result'),
    'no-trunc': toggle('Do not truncate output'),
  },
  count: [0],
  needs: 'name',
  services: 'all',
  examples: [['compose stats --no-stream', 'Show once what the containers of the project use']],
  async run({ flags, args, daemon, project }) {
    const found = await chosenContainers({ daemon, project, services: args });
    const shown = found.filter(({ state }) => flags.all || state === 'running').map(({ name }) => name);
    if (shown.length === 0)
      throw new CommandError(
        `no ${flags.all ? '' : 'running '}containers for project ${JSON.stringify(project.name)}`,
      );
    const { stats: command } = await import('../commands/stats.ts');
    const { all: _, ...same } = flags;
    return runOther(command, { daemon, flags: same, args: shown });
  },
});

/** Like oneContainer(), but the container need not run. */
async function anyContainer(chosen: Parameters<typeof oneContainer>[0]) {
  const found = await chosenContainers({ ...chosen, services: [chosen.service] });
  return found.find(({ number }) => number === (chosen.index ?? number)) ?? oneContainer(chosen);
}

export { exportContainer as export };
