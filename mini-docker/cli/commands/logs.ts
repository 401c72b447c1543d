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
    details: toggle('Show what log drivers add'),
    follow: toggle('Go on with what is written from now on', 'f'),
    since: text('string', 'From then on: 2026-01-02T13:23:37Z, or 42m ago'),
    tail: text('string', 'Only so many lines from the end', 'n'),
    timestamps: toggle('Show when each line was written', 't'),
    until: text('string', 'Until then'),
  },
  least: 1,
  most: 1,
  examples: [
    ['logs -f --tail 10 web', 'The last ten lines, and all new ones'],
    ['logs --since 5m -t web', 'The last five minutes, with times'],
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
    return 0;
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
