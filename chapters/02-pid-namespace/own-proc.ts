// A /proc of the box's own. It needs CLONE.NEWNS: a mount is made in the mount namespace that the process is in.
import { because, MS, mount, type Step } from '#linux';

export function privateMounts(): Step {
  return because('our mounts stay ours', mount({ target: '/', flags: MS.REC | MS.PRIVATE }));
}

export function ownProc(): Step {
  return because(
    '/proc shows the pid namespace of the process that mounts it',
    mount({ source: 'proc', target: '/proc', type: 'proc', flags: MS.NOSUID | MS.NODEV | MS.NOEXEC }),
  );
}
