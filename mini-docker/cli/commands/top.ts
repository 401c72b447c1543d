import type { ContainerTop } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { write } from '../show/output.ts';
import { encodeTable } from '../show/table.ts';

export const top = command({
  usage: 'CONTAINER [ps OPTIONS]',
  count: [1],
  passThrough: true,
  examples: [
    ['top web', 'List its processes with their host PIDs'],
    ['top web -o pid,rss,args', 'Choose the columns by their ps(1) names'],
  ],
  async run({ args, daemon }) {
    const [container, ...options] = args as [string, ...string[]];
    const query = { ps_args: options.length === 0 ? undefined : options.join(' ') };
    const path = containerPath(container, '/top');
    const { Titles, Processes } = await daemon.json<ContainerTop>('GET', path, { query });
    write(encodeTable([Titles, ...(Processes ?? [])], 20));
  },
});
