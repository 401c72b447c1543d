// `learn look` beside `learn shell`, in two terminals of tmux.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';

const learn = join(repository, 'bin/learn');
const hasTmux = spawnSync('tmux', ['-V']).status === 0;

test('refuses where there is no terminal, and within the sandbox', () => {
  const ran = (environment: Record<string, string>) =>
    spawnSync(learn, ['look'], { encoding: 'utf8', env: { ...process.env, ...environment } });
  expect(ran({ TERM: 'xterm' })).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(/^learn: .*not a\s+terminal/),
  });
  expect(ran({ LEARN_SANDBOX: '1' }).stderr).toMatch(/second\s+terminal/);
});

describe.runIf(hasTmux)('beside a shell', () => {
  let scratch: string;
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-S', join(scratch, 'tmux'), '-f', '/dev/null', ...args]).toString();
  const shell = (...keys: string[]) => tmux('send-keys', '-t', 'shell', ...keys);
  const look = (...keys: string[]) => tmux('send-keys', '-t', 'look', ...keys);
  const screenOf = (window: string) => () => tmux('capture-pane', '-p', '-t', window);
  const shows = (window: string, text: RegExp) =>
    expect.poll(screenOf(window), { timeout: 20_000 }).toMatch(text);

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'mini-docker-look-'));
    const variables = ['LANG=C.UTF-8', 'LC_ALL='].flatMap(each => ['-e', each]);
    tmux('new-session', '-d', '-s', 'shell', '-x', '80', '-y', '24', ...variables, learn, 'shell');
    tmux('new-session', '-d', '-s', 'look', '-x', '120', '-y', '100', ...variables, 'sh');
  });
  afterEach(async () => {
    // The shells in it end one after another, and the sandbox removes its control groups.
    const left = () => {
      const sessions = tmux('list-sessions', '-F', '#S').split('\n');
      if (sessions.includes('shell')) shell('C-d');
      return sessions;
    };
    await expect.poll(left, { timeout: 20_000, interval: 200 }).not.toContain('shell');
    tmux('kill-server');
    rmSync(scratch, { recursive: true });
  });

  test('unshare -u is seen: a second UTS namespace lights up, and its new name', async () => {
    await shows('shell', /\[sandbox\]/);
    look(`NO_COLOR=1 ${learn} look`, 'Enter');
    await shows('look', /▸ shell /);
    look('3');
    await shows('look', / {3}uts +\d+ +its own, hostname sandbox/);
    expect(screenOf('look')()).not.toMatch(/uts .*one more/);
    shell('unshare -u sh', 'Enter');
    await shows('look', /● uts +\d+ +one more, hostname sandbox: pid \d+ \(sh\)/);
    shell('hostname box', 'Enter');
    await shows('look', /● uts +\d+ +one more, hostname box/);
    look('4');
    shell('unshare -m', 'Enter');
    shell('mount -t tmpfs mine /mnt', 'Enter');
    await shows('look', /of the mounts above, and:\n.*● \/mnt {2}tmpfs rw from mine/);
    look('q');
    await shows('look', /^#$/m);
  });
});
