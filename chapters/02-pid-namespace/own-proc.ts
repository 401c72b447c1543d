// A /proc of the box's own. It needs CLONE.NEWNS: a mount is made in the mount namespace that the process is in.
import { because, type Item, MS, mount } from '#linux';

export function ownProc(): Item[] {
  return [
    because('our mounts stay ours', mount({ target: '/', flags: MS.REC | MS.PRIVATE })),
    because(
      '/proc shows the pid namespace of whoever mounts it',
      mount({ source: 'proc', target: '/proc', type: 'proc', flags: MS.NOSUID | MS.NODEV | MS.NOEXEC }),
    ),
  ];
}
