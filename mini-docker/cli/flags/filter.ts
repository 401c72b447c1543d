import { values } from './flags.ts';

/** --filter NAME=VALUE, which may be repeated. */
export const filterFlag = (help: string, short?: string) =>
  values(
    'filter',
    help,
    (text): readonly [string, string] => {
      const equals = text.indexOf('=');
      if (equals < 0) throw new Error('bad format of filter (expected name=value)');
      return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
    },
    short,
  );
