// mount(2) with named arguments: the flags determine which of the five are used.
import type { Step } from './step.ts';
import { mountCall } from './syscalls.ts';

export interface Mount {
  /** Source: a device, a directory (with MS.BIND), or any word for file systems that need no source. */
  source?: string;
  /** Mount point: a directory, or a file when a file is mounted on it. */
  target: string;
  /** File system type: 'proc', 'tmpfs', 'overlay'. */
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
