// The files of /proc that are not about a process: each /proc on the machine has the same ones.
import { readdirSync } from 'node:fs';

let found: string[] | undefined;

/** Whether a container may write to these is the choice of its spec (readonlyPaths). */
const CHOSEN = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];

/** Names in /proc, of files and of directories. */
export function kernelFiles(): string[] {
  found ??= readdirSync('/proc', { withFileTypes: true })
    .filter(entry => !/^\d+$/.test(entry.name) && (entry.isFile() || entry.isDirectory()))
    .map(entry => entry.name)
    .filter(name => !CHOSEN.includes(name));
  return found;
}
