// Bad networks on purpose, for tests of programs that must live with them.

import type { NetworkPartition, ShownCondition } from '../../formats/network-conditions.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { text } from '../flags/flags.ts';
import { type Columns, formatFlag, printListing } from '../show/listing.ts';
import { print } from '../show/output.ts';

const CONDITIONS = '/mini-docker/network-conditions';
const PARTITION = '/mini-docker/network-partition';

const WORSE = ['delay', 'jitter', 'loss', 'duplicate', 'corrupt', 'reorder', 'rate'] as const;

export const networkCondition = command({
  usage: 'set|show|clear [OPTIONS] [CONTAINER|NETWORK]',
  description:
    'Packets to the container are delayed, lost, duplicated or corrupted, so that a packet and its answer meet the condition once; the rate holds in both directions. A network stands for the containers that are on it now. Setting a condition replaces the former one for the same --to. It lasts until it is cleared or the container stops; a restarted container has none. Everything but --rate needs the kernel module sch_netem.',
  flags: {
    corrupt: text('percent', 'Packets in which one bit is changed'),
    delay: text('duration', 'Time by which packets come later (e.g., 100ms)'),
    duplicate: text('percent', 'Packets that come twice'),
    format: formatFlag(),
    jitter: text('duration', 'Time by which the delay varies to either side'),
    loss: text('percent', 'Packets that are lost (e.g., 1%)'),
    rate: text('rate', 'Bits per second, in each direction (e.g., 1mbit)'),
    reorder: text('percent', 'Packets that are not delayed, and so overtake others'),
    to: text('address|container', 'Only for packets exchanged with this address or container'),
  },
  examples: [
    ['network condition set --delay 100ms --jitter 10ms web', 'Put the container far away'],
    ['network condition set --loss 5% --to db web', 'Lose every twentieth packet between two containers'],
    ['network condition set --rate 1mbit front', 'Slow down all containers of a network'],
    ['network condition show', 'List what is set'],
    ['network condition clear web', 'End it'],
  ],
  async run({ flags, given, args: [action, target], daemon }) {
    const query = { target };
    const wrong = [...given].find(name => name !== (action === 'show' ? 'format' : ''));
    if (action !== 'set' && wrong !== undefined) throw new CommandError(`--${wrong} is not for ${action}`);
    if (action === 'show') {
      const rows = await daemon.json<ShownCondition[]>('GET', CONDITIONS, { query });
      await printListing({ columns: COLUMNS, rows, shown: SHOWN, format: flags.format, quiet: false });
    } else if (action === 'clear') await daemon.text('DELETE', CONDITIONS, { query });
    else if (action === 'set') {
      if (target === undefined) throw new CommandError('set needs a container or a network');
      const condition = Object.fromEntries(WORSE.map(key => [key, flags[key]]));
      await daemon.text('POST', CONDITIONS, { json: { target, to: flags.to, ...condition } });
    } else throw new CommandError(`unknown action ${action}: it is set, show or clear`);
  },
});

const COLUMNS: Columns<ShownCondition> = {
  Container: { header: 'CONTAINER', value: each => each.container },
  Network: { header: 'NETWORK', value: each => each.network },
  Interface: { header: 'INTERFACE', value: each => each.interface },
  To: { header: 'TO', value: each => each.to.join(', ') || 'all' },
  Condition: {
    header: 'CONDITION',
    value: each => WORSE.flatMap(key => (each[key] === undefined ? [] : `${key} ${each[key]}`)).join(', '),
  },
};
const SHOWN = Object.keys(COLUMNS);

export const networkPartition = command({
  usage: '[CONTAINER|NETWORK[,...] CONTAINER|NETWORK[,...]...]',
  description:
    'Containers of different groups do not reach each other; containers in no group reach all. A network stands for its present containers. A new partition replaces the former one. It lasts until `network heal`, even if containers or the daemon are restarted. Without groups, prints the present ones.',
  examples: [
    ['network partition a,b c', 'Keep c from a and b'],
    ['network partition front back db', 'Keep two networks and a container apart'],
    ['network partition', 'Print the groups'],
  ],
  async run({ args, daemon }) {
    if (args.length === 0) {
      const { groups } = await daemon.json<NetworkPartition>('GET', PARTITION);
      for (const group of groups) print(group.join(','));
      return 0;
    }
    const groups = args.map(each => each.split(',').filter(Boolean));
    await daemon.text('POST', PARTITION, { json: { groups } });
  },
});

export const networkHeal = command({
  usage: '',
  examples: [['network heal', 'Let all containers reach each other again']],
  async run({ daemon }) {
    await daemon.text('POST', PARTITION, { json: { groups: [] } });
  },
});
