// Bind mounts: directories and files of the machine at another place in the box.
import { existsSync, realpathSync } from 'node:fs';
import { because, MS, mount, mountOf, readMountinfo, type Step } from '#linux';
import { Mistake } from './mistake.ts';

export interface Volume {
  source: string;
  target: string;
  readonly: boolean;
}

/** '/tmp/data:/mnt' or '/tmp/data:/mnt:ro', as docker run's -v takes it. */
export function parseVolume(text: string): Volume {
  const [source, target, mode = 'rw', ...rest] = text.split(':');
  if (!source?.startsWith('/') || !target?.startsWith('/') || !/^r[ow]$/.test(mode) || rest.length > 0) {
    throw new Mistake(`a volume is /SOURCE:/TARGET or /SOURCE:/TARGET:ro, not ${text}`);
  }
  return { source, target, readonly: mode === 'ro' };
}

export function bindVolume({ source, target, readonly }: Volume): Step[] {
  return [
    because(`${source} appears at ${target}`, mount({ source, target, flags: MS.BIND })),
    ...(readonly
      ? [
          because(
            'a new bind mount ignores flags; a remount sets them',
            mount({ target, flags: MS.BIND | MS.REMOUNT | MS.RDONLY | flagsAt(source) }),
          ),
        ]
      : []),
  ];
}

/** A remount sets all flags anew. Removing one that came from outside is refused in a user namespace (chapter 15). */
function flagsAt(path: string): number {
  // The mount itself will report that it is missing.
  if (!existsSync(path)) return 0;
  const { options = [] } = mountOf(readMountinfo() ?? [], realpathSync(path)) ?? {};
  const kept = { nosuid: MS.NOSUID, nodev: MS.NODEV, noexec: MS.NOEXEC };
  return Object.entries(kept).reduce((all, [name, flag]) => (options.includes(name) ? all | flag : all), 0);
}
