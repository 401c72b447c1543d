// Directories and files of the machine at another place in the box: bind mounts.
import { because, MS, mount, type Step } from '#linux';
import { Mistake } from './mistake.ts';

export interface Volume {
  source: string;
  target: string;
  readonly: boolean;
}

/** '/tmp/data:/mnt' or '/tmp/data:/mnt:ro', as after docker run's -v. */
export function parseVolume(text: string): Volume {
  const [source, target, mode = 'rw', ...rest] = text.split(':');
  if (!source?.startsWith('/') || !target?.startsWith('/') || !/^r[ow]$/.test(mode) || rest.length > 0) {
    throw new Mistake(`a volume is /SOURCE:/TARGET or /SOURCE:/TARGET:ro, and not ${text}`);
  }
  return { source, target, readonly: mode === 'ro' };
}

export function bindVolume({ source, target, readonly }: Volume): Step[] {
  return [
    because(`${source} is to be seen at ${target}`, mount({ source, target, flags: MS.BIND })),
    ...(readonly
      ? [
          because(
            'a bind mount takes no flags when it is made',
            mount({ target, flags: MS.BIND | MS.REMOUNT | MS.RDONLY }),
          ),
        ]
      : []),
  ];
}
