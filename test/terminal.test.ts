// Containers with a terminal, seen through tmux: a terminal of its own, as a user's is.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

describe.runIf(hasTmux)('a container with a terminal', () => {
  let daemon: TestDaemon;
  let scratch: string;
  // A server of its own for each test: one that is just ending takes no new session.
  let servers = 0;
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-S', `${scratch}/tmux-${servers}`, '-f', '/dev/null', ...args]).toString();
  const md = (line: string) => `${NODE} -- ${MAIN} ${line}`;
  const screen = () => tmux('capture-pane', '-p');
  const type = (...keys: string[]) => tmux('send-keys', ...keys);
  const shows = (text: string | RegExp) => expect.poll(screen, { timeout: 10_000 }).toMatch(text);

  beforeAll(async () => {
    daemon = await startDaemon();
    scratch = mkdtempSync(join(tmpdir(), 'mini-docker-terminal-'));
  });
  afterAll(async () => {
    rmSync(scratch, { recursive: true, force: true });
    await daemon.stop();
  });
  beforeEach(() => {
    servers += 1;
    tmux(
      'new-session',
      '-d',
      '-x',
      '100',
      '-y',
      '30',
      '-e',
      `DOCKER_HOST=${daemon.host}`,
      '-e',
      'PS1=host> ',
      'sh',
    );
    execFileSync('sh', ['-c', `${md('rm -f box')} 2>/dev/null; true`], {
      env: { ...process.env, DOCKER_HOST: daemon.host },
    });
  });
  afterEach(() => {
    tmux('kill-server');
  });

  test('has its size, follows the window, gets Ctrl-C, and ends with its exit code', async () => {
    type(md('run -it --rm busybox; echo code=$?'), 'Enter');
    await shows(/^\/ #/m);
    type('stty size', 'Enter');
    await shows('30 100');
    tmux('resize-window', '-x', '120', '-y', '40');
    await expect
      .poll(() => {
        type('stty size', 'Enter');
        return screen();
      })
      .toMatch('40 120');
    type('sleep 1000', 'Enter');
    await shows('sleep 1000');
    type('C-c');
    type('echo status=$?', 'Enter');
    await shows('status=130');
    type('exit 7', 'Enter');
    await shows('code=7');
  });

  test('gives the terminal back as it was, however the container ended', async () => {
    const save = (name: string) => `stty -a >${scratch}/${name}`;
    type(
      `${save('before')}; ${md('run -it --rm busybox true')}; ${md('run -it --rm busybox nope')}; ${save('after')}; echo saved`,
      'Enter',
    );
    await shows(/^saved/m);
    expect(existsSync(`${scratch}/after`)).toBe(true);
    expect(readFileSync(`${scratch}/after`, 'utf8')).toBe(readFileSync(`${scratch}/before`, 'utf8'));
  });

  test('runs on behind Ctrl-P Ctrl-Q, and attach comes back to it', async () => {
    type(md('run -it --name box busybox; echo code=$?'), 'Enter');
    await shows(/^\/ #/m);
    type('X=kept', 'Enter');
    type('C-p', 'C-q');
    await shows('code=0');
    type('clear', 'Enter');
    type(md('attach --detach-keys ctrl-a,d box; echo code=$?'), 'Enter');
    await sleep(700);
    type('echo X=$X', 'Enter');
    await shows('X=kept');
    type('C-a', 'd');
    await shows('read escape sequence');
    type('clear', 'Enter');
    type(md("inspect -f 'runs={{.State.Running}}' box"), 'Enter');
    await shows('runs=true');
  });

  test('is a terminal for exec, too, also beside another one', async () => {
    execFileSync('sh', ['-c', md('run -d --name box busybox sleep 1000')], {
      env: { ...process.env, DOCKER_HOST: daemon.host },
    });
    type(md("exec -it box sh -c 'stty size; tty; read line; echo got=$line; exit 4'; echo code=$?"), 'Enter');
    await shows(/30 100\n\/dev\/pts\/\d/);
    type('hello', 'Enter');
    await shows('got=hello');
    await shows('code=4');
  });

  test('output is not translated twice', async () => {
    type('clear', 'Enter');
    // A bare line feed moves down and not to the left, when the program has asked for it. The prompt may stand before.
    type(md(`run -it --rm busybox sh -c 'stty -opost; printf "\\r\\nab\\ncd"'`), 'Enter');
    await shows(/^ab\n {2}cd/m);
  });
});
