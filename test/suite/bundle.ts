// Tests run commands and daemons from the bundle, as users do; it is rebuilt when a source is newer.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export function setup(): void {
  execFileSync('sh', [join(import.meta.dirname, '../../bin/setup'), 'bundle'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
