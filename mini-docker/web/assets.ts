// The style sheets and scripts of pages; in dist/ they lie beside the bundle (bin/setup).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function asset(name: string): string {
  return readFileSync(join(import.meta.dirname, 'assets', name), 'utf8');
}
