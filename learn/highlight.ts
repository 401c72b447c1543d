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
  return painted(code, language, SHEET);
}

/** Calls `mark` with each part of the code that has a colour, the innermost first, and with the colour's name. */
export function markedUp(
  code: string,
  language: string,
  mark: (colour: string, part: string) => string,
): string {
  const sheet = Object.keys(SHEET).map(colour => [colour, (part: string) => mark(colour, part)] as const);
  return painted(code, language, Object.fromEntries(sheet));
}

function painted(code: string, language: string, sheet: Record<string, (part: string) => string>): string {
  return emphasize.registered(language) ? emphasize.highlight(language, code, sheet).value : code;
}
