// The key `develop` of a service: which files `compose watch` follows, and what it does when they change
// (https://github.com/compose-spec/compose-spec/blob/main/develop.md).

import { hook } from './hook-shapes.ts';
import { boolean, type Infer, list, object, oneOf, oneOrMore, path, type Shape, text } from './shapes.ts';
import { wrongAt } from './source.ts';

const triggerObject = object({
  path,
  action: oneOf('rebuild', 'restart', 'sync', 'sync+restart', 'sync+exec'),
  target: text,
  ignore: oneOrMore(text),
  include: oneOrMore(text),
  exec: hook,
  initial_sync: boolean,
});
type Found = Infer<typeof triggerObject>;
export type Trigger = Found & Required<Pick<Found, 'path' | 'action'>>;

const trigger: Shape<Trigger> = (source, context) => {
  const found = triggerObject(source, context);
  const { path, action, target, exec } = found;
  if (path === undefined) throw wrongAt(source, 'has no path');
  if (action === undefined) throw wrongAt(source, 'has no action');
  if (action.startsWith('sync') && !target?.startsWith('/'))
    throw wrongAt(source, `needs a target, an absolute path in the container, for ${action}`);
  if (action === 'sync+exec' && !exec?.command?.length)
    throw wrongAt(source, 'needs exec with a command for sync+exec');
  return { ...found, path, action };
};

export const develop = object({ watch: list(trigger) });
