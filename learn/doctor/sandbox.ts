// The proof: makes a sandbox and looks at it from inside.
import { capture } from '../sandbox/capture.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import type { Finding } from './finding.ts';

const LOOK =
  'echo $$; readlink /proc/1/exe >/dev/null && echo proc; touch /usr/.learn 2>/dev/null && echo writable; node -p 6*7';

export async function sandboxWorks(): Promise<Finding[]> {
  const subject = 'a sandbox';
  const root = process.geteuid?.() === 0;
  try {
    await using sandbox = await Sandbox.create();
    const { stdout, stderr } = await capture(sandbox, ['sh', '-c', LOOK]);
    const groups: Finding[] =
      sandbox.withoutGroups === undefined
        ? []
        : [
            {
              subject: 'groups inside',
              state: 'limited',
              found: 'none',
              means: sandbox.withoutGroups,
              mend: 'needed for chapter 7, and for tasks that say so',
            },
          ];
    if (!stdout.includes('42')) {
      const found = `node does not run inside: ${stderr.trim().split('\n')[0] || 'it printed nothing'}`;
      return [
        {
          subject,
          state: 'missing',
          found,
          means: 'learn run and learn check do not work',
          mend: 'put the course into a folder that root can read',
        },
      ];
    }
    if (!stdout.includes('writable')) {
      return [
        {
          subject,
          state: 'limited',
          found: 'works, but is read-only',
          means: 'files outside /tmp cannot be changed in a sandbox',
          mend: root ? 'see the line about overlay' : 'use sudo if you want to change them',
        },
        ...groups,
      ];
    }
    return [{ subject, state: 'good', found: `works${root ? '' : ', in a user namespace'}` }, ...groups];
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    const mend = root
      ? 'see the lines above; start a container with --privileged'
      : 'see the lines above, or use sudo';
    return [{ subject, state: 'missing', found, means: 'learn run, shell and check do not work here', mend }];
  }
}
