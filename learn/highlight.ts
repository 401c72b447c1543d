// Colours for code. Nothing is said by colour alone.
import { common, createEmphasize } from 'emphasize';
import { paint } from './screen.ts';

const emphasize = createEmphasize(common);

const SHEET = {
  keyword: paint.blueBright,
  built_in: paint.cyan,
  string: paint.yellow,
  number: paint.yellow,
  comment: paint.dim,
  title: paint.bold,
  addition: paint.blueBright,
  deletion: paint.yellow,
};

/** As it is, in a language that is not known. */
export function highlighted(code: string, language: string): string {
  return emphasize.registered(language) ? emphasize.highlight(language, code, SHEET).value : code;
}
