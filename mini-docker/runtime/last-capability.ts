import { readFileSync } from 'node:fs';

let last: number | undefined;

/** The highest capability of this kernel. capabilities(7), "/proc/sys/kernel/cap_last_cap" */
export function lastCapability(): number {
  last ??= Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
  return last;
}
