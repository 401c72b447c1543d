// The proof: a sandbox is made, and looked at from inside.
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
              subject: 'groups in it',
              state: 'limited',
              found: 'none',
              means: sandbox.withoutGroups,
              mend: 'chapter 7, and tasks that say so, want them',
            },
          ];
    if (!stdout.includes('42')) {
      const found = `node does not run in it: ${stderr.trim().split('\n')[0] ?? 'it says nothing'}`;
      return [
        {
          subject,
          state: 'missing',
          found,
          means: 'learn run and learn check cannot work',
          mend: 'is the course in a folder that root can read?',
        },
      ];
    }
    if (!stdout.includes('writable')) {
      return [
        {
          subject,
          state: 'limited',
          found: 'works, read-only',
          means: 'files outside of /tmp cannot be changed in it',
          mend: root ? 'see overlay' : 'use sudo, if you want to',
        },
        ...groups,
      ];
    }
    return [{ subject, state: 'good', found: `works${root ? '' : ', in a user namespace'}` }, ...groups];
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    const mend = root
      ? 'the lines above; a container must be started with --privileged'
      : 'the lines above; or use sudo';
    return [{ subject, state: 'missing', found, means: 'learn run, shell and check cannot work here', mend }];
  }
}
