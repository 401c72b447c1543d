// The shapes of commands in a compose file, alone and with the way to run them.

import { boolean, byKind, type Infer, list, object, pairs, reading, type Shape, text } from './shapes.ts';
import { wrongAt } from './source.ts';
import { splitWords } from './words.ts';

export const words = byKind<string[]>({ scalar: reading('a command', splitWords), list: list(text) });

/** A command that runs in a container after its start, before its end, or when files have changed. */
export const hook = object({
  command: words,
  user: text,
  privileged: boolean,
  working_dir: text,
  environment: pairs,
});
export type Hook = Infer<typeof hook>;

export const hooks: Shape<Hook[]> = (source, context) => {
  const found = list(hook)(source, context);
  if (found.some(({ command = [] }) => command.length === 0))
    throw wrongAt(source, 'has one without a command');
  return found;
};
