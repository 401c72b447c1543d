// Commands and daemons under test are the bundle, as users start it: it is made anew when a source is newer.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export function setup(): void {
  execFileSync('sh', [join(import.meta.dirname, '../../bin/setup'), 'bundle'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
