// `learn clean`: removes control groups of killed sandboxes. Everything else of a sandbox ends with its processes.
import { removeAbandonedGroups } from '../sandbox/groups.ts';
import { print } from '../screen.ts';

export async function clean(): Promise<void> {
  const abandoned = await removeAbandonedGroups();
  for (const { group, left } of abandoned)
    print(left.length === 0 ? `removed ${group}` : `cannot remove ${left.join(' ')}`);
  if (abandoned.some(({ left }) => left.length > 0)) process.exitCode = 1;
  if (abandoned.length === 0) print('nothing was left behind');
}
