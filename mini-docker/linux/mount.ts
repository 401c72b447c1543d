// mount(2) with its arguments by name: which of the five matter depends on the flags.
import type { Step } from './step.ts';
import { mountCall } from './syscalls.ts';

export interface Mount {
  /** What is mounted: a device, a directory (with MS.BIND), or any word for file systems that need none. */
  source?: string;
  /** Where: a directory, or a file when a file is mounted on it. */
  target: string;
  /** The file system: 'proc', 'tmpfs', 'overlay'. */
  type?: string;
  /** MS.* */
  flags?: number;
  /** The file system's own options: 'size=64m,mode=755'. */
  options?: string;
}

/** mount(2) as a step. */
export function mount({ source, target, type, flags = 0, options }: Mount): Step {
  return mountCall(source ?? null, target, type ?? null, flags, options ?? null);
}
