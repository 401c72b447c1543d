import type { EventMessage } from '../../formats/engine-api/system.ts';
import { formatJson } from '../../formats/go-template/format.ts';
import { encodeTimestamp } from '../../formats/timestamp.ts';
import { command } from '../command.ts';
import { encodeFilters } from '../daemon/client.ts';
import { filterFlag } from '../flags/filter.ts';
import { text, toggle } from '../flags/flags.ts';
import { writeFormatted } from '../show/output.ts';
import { compileFormat } from '../show/template.ts';
import { point } from './logs.ts';

export const events = command({
  usage: '[OPTIONS]',
  flags: {
    filter: filterFlag('Filter output based on conditions provided', 'f'),
    format: text('string', 'Format the output using the given Go template'),
    json: toggle('Print JSON, as --format json does'),
    since: text('string', 'Show all events created since timestamp'),
    until: text('string', 'Stream events until this timestamp'),
  },
  examples: [
    ['events', 'Watch events as they happen'],
    [
      'events --since 1h --until 0s -f event=oom',
      'List the containers that ran out of memory in the last hour',
    ],
  ],
  async run({ flags, daemon }) {
    const now = new Date();
    const show = await printer(flags.json ? 'json' : flags.format);
    const query = {
      since: point('since', flags.since, now),
      until: point('until', flags.until, now),
      filters: encodeFilters(flags.filter),
    };
    for await (const each of daemon.jsonStream<EventMessage>('GET', '/events', { query }))
      writeFormatted(`${show(each)}\n`);
  },
});

async function printer(format: string | undefined): Promise<(event: EventMessage) => string> {
  if (!format) return describe;
  if (format === 'json') return formatJson;
  return compileFormat(format, {
    aliases: ALIASES,
    nil: { Attributes: 'map', status: 'nil', id: 'nil', from: 'nil' },
  });
}

/** JSON names by Go's names. */
const ALIASES = {
  Status: 'status',
  ID: 'id',
  From: 'from',
  Scope: 'scope',
  Time: 'time',
  TimeNano: 'timeNano',
};

/** '2026-11-20T20:22:09.745311866Z container start 1c28… (image=busybox, name=web)' */
function describe({ time, timeNano, Type, Action, Actor }: EventMessage): string {
  // timeNano exceeds the exact integers of a double: it gives the fraction, and `time` the second.
  const nanoseconds = BigInt(time) * 1_000_000_000n + (BigInt(timeNano) % 1_000_000_000n);
  const attributes = Object.keys(Actor.Attributes ?? {})
    .sort()
    .map(key => `${key}=${Actor.Attributes[key]}`);
  const behind = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return `${encodeTimestamp(nanoseconds)} ${Type} ${Action} ${Actor.ID}${behind}`;
}
