// The files of /proc that are not about a process: each /proc on the machine has the same ones.
import { lstatSync, readdirSync } from 'node:fs';

let found: string[] | undefined;

/** Whether a container may write to these is the choice of its spec (readonlyPaths). */
const CHOSEN = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];

/**
 * Names in /proc, of files and of directories. They are listed without types: the kernel gives none for a process that ends
 * meanwhile, and Node would then fail to look at it.
 */
export function kernelFiles(): string[] {
  found ??= readdirSync('/proc').filter(
    name => !/^\d+$/.test(name) && !CHOSEN.includes(name) && !lstatSync(`/proc/${name}`).isSymbolicLink(),
  );
  return found;
}
