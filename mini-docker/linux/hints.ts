// Explains an errno for a certain system call on this machine, where the errno's own text misleads.
import { ERRNO } from './errno.ts';
import { cgroupHints } from './hints/cgroups.ts';
import { execHints } from './hints/exec.ts';
import { fileHints } from './hints/files.ts';
import { failedStep, type Hint, type Whereabouts } from './hints/hint.ts';
import { identityHints } from './hints/identity.ts';
import { mountHints } from './hints/mount.ts';
import { mountDeniedHints } from './hints/mount-denied.ts';
import { mountTreeHints } from './hints/mount-tree.ts';
import { namespaceHints } from './hints/namespaces.ts';
import { overlayHints } from './hints/overlay.ts';
import { filterHints, processHints } from './hints/processes.ts';
import { unseenHints } from './hints/unseen.ts';
import type { Step } from './step.ts';

/** The first entry with an explanation wins, so special entries stand before general ones. */
const hints: readonly Hint[] = [
  ...overlayHints,
  ...mountDeniedHints,
  ...mountHints,
  ...mountTreeHints,
  ...namespaceHints,
  ...identityHints,
  ...execHints,
  ...cgroupHints,
  ...fileHints,
  ...processHints,
  ...unseenHints,
  ...filterHints,
];

/** A sentence for the parentheses of an error message: the cause, and what to do. Never throws. */
export function hintFor(step: Step, errno: number, whereabouts: Whereabouts = {}): string | undefined {
  const failed = failedStep(step, whereabouts);
  for (const hint of hints) {
    const applies = hint.calls.includes('*') || hint.calls.includes(failed.call);
    // By number: some errnos have two names.
    if (!applies || (hint.code !== '*' && ERRNO[hint.code] !== errno)) continue;
    try {
      const text = hint.explain(failed);
      if (text) return text;
    } catch {
      // The probed state no longer exists: no hint is better than a wrong one.
    }
  }
  return undefined;
}
