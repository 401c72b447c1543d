// The initial environment of a container's programs.

import { DEFAULT_PATH } from '../../runtime/execution.ts';

/**
 * The defaults, overridden by `own`; a name without '=' in `own` removes a default, as in docker. HOME is the
 * user's, unless `own` sets it.
 */
export function environment(options: {
  hostname: string;
  tty: boolean;
  own: string[];
  home: string;
}): string[] {
  const variables = new Map<string, string>();
  const set = (assignment: string) => {
    const name = assignment.split('=', 1)[0]!;
    if (assignment.includes('=')) variables.set(name, assignment);
    else variables.delete(name);
  };
  set(`PATH=${DEFAULT_PATH}`);
  set(`HOSTNAME=${options.hostname}`);
  if (options.tty) set('TERM=xterm');
  for (const assignment of options.own) set(assignment);
  if ((variables.get('HOME') ?? 'HOME=') === 'HOME=') set(`HOME=${options.home}`);
  return [...variables.values()];
}
