// Syntax colours for code. Colour never carries information that the text lacks.
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

/** Colours code; returns it unchanged if the language is unknown. */
export function highlighted(code: string, language: string): string {
  return emphasize.registered(language) ? emphasize.highlight(language, code, SHEET).value : code;
}
