// A child program as a separate executable, for processes that must not share our memory or that outlive us.
import { ELF_DATA_ADDRESS, encodeElf } from './elf.ts';
import { sealedExecutable } from './memfd.ts';
import { compile, type Item } from './program.ts';
import { hostArchitecture } from './step.ts';

/**
 * @param name the name that /proc/PID/exe shows: '/memfd:NAME (deleted)'
 * @returns a close-on-exec descriptor for execveat(fd, '', argv, env, AT.EMPTY_PATH)
 */
export function executable(name: string, items: readonly Item[]): number {
  const architecture = hostArchitecture();
  const { code, data } = compile(items, { architecture, dataAddress: ELF_DATA_ADDRESS });
  return sealedExecutable(name, encodeElf({ architecture, code, data }));
}
