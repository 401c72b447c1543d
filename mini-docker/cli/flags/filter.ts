import { splitAt } from '../../formats/split.ts';
import { values } from './flags.ts';

/** --filter NAME=VALUE, which may be repeated. */
export const filterFlag = (help: string, short?: string) =>
  values(
    'filter',
    help,
    (text): readonly [string, string] => {
      const [name, value] = splitAt(text, '=');
      if (value === undefined) throw new Error('bad format of filter (expected name=value)');
      return [name.trim().toLowerCase(), value.trim()];
    },
    short,
  );
