import { decodePointInTime } from '../../formats/durations.ts';
import type { ContainerInspect } from '../../formats/engine-api/containers.ts';
import { frameDecoder } from '../../formats/stream-frames.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { outputRoom, write, writeError } from '../show/output.ts';

export const logs = command({
  usage: '[OPTIONS] CONTAINER',
  flags: {
    details: toggle('Show extra details provided to logs'),
    follow: toggle('Follow log output', 'f'),
    since: text(
      'string',
      'Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)',
    ),
    tail: text('string', 'Number of lines to show from the end of the logs', 'n'),
    timestamps: toggle('Show timestamps', 't'),
    until: text(
      'string',
      'Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)',
    ),
  },
  examples: [
    ['logs -f --tail 10 web', 'Show the last ten lines and follow'],
    ['logs --since 5m -t web', 'Show the last five minutes with timestamps'],
  ],
  async run({ flags, args, daemon }) {
    const now = new Date();
    const query = {
      stdout: true,
      stderr: true,
      follow: flags.follow || undefined,
      timestamps: flags.timestamps || undefined,
      details: flags.details || undefined,
      since: point('since', flags.since, now),
      until: point('until', flags.until, now),
      tail: flags.tail ?? 'all',
    };
    const container = encodeURIComponent(args[0]!);
    const { Config, Id } = await daemon.json<ContainerInspect>('GET', `/containers/${container}/json`);
    const { body } = await daemon.request('GET', `/containers/${Id}/logs`, { query });
    const decoder = Config.Tty ? undefined : frameDecoder();
    for await (const chunk of body) {
      await outputRoom();
      if (!decoder) write(chunk);
      else
        for (const { stream, data } of decoder.push(chunk)) (stream === 'stdout' ? write : writeError)(data);
    }
  },
});

export function point(flag: string, value: string | undefined, now: Date): string | undefined {
  if (value === undefined) return undefined;
  try {
    return decodePointInTime(value, now);
  } catch (cause) {
    throw new CommandError(`invalid value for "${flag}": ${(cause as Error).message}`, { cause });
  }
}
