import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from './call.ts';
import { PR, SIG, W } from './constants.ts';
import { decodeWaitStatus, reap, watchExit } from './exits.ts';
import { killProcess } from './pidfd.ts';
import { close, pidfdOpen, prctl, wait4 } from './syscalls.ts';

/** A child that libuv knows nothing of: orphans of our children become ours, as we are a subreaper. prctl(2). The command must outlive the shell that starts it, or the shell reaps it. */
function orphan(command: string): { pid: number; pidfd: number } {
  const pid = Number(
    execFileSync('sh', ['-c', `exec 2>&-; (exec >&-; exec ${command}) & echo $!`], { encoding: 'utf8' }),
  );
  return { pid, pidfd: call(pidfdOpen(pid, 0)) };
}

beforeAll(() => {
  call(prctl(PR.SET_CHILD_SUBREAPER, 1, 0, 0, 0));
});
afterAll(() => {
  call(prctl(PR.SET_CHILD_SUBREAPER, 0, 0, 0, 0));
});

test('the exit of a child is seen, and its code is taken once', async () => {
  const { pidfd } = orphan('sh -c "sleep 0.2; exit 7"');
  expect(reap(pidfd)).toBeUndefined();
  await watchExit(pidfd);
  expect(reap(pidfd)).toEqual({ code: 7 });
  expect(() => reap(pidfd)).toThrow(expect.objectContaining({ code: 'ECHILD' }));
  call(close(pidfd));
});

test('a killed child says which signal it was', async () => {
  const { pidfd } = orphan('sleep 60');
  killProcess(pidfd, SIG.TERM);
  await watchExit(pidfd);
  expect(reap(pidfd)).toEqual({ code: 143, signal: SIG.TERM });
  expect(() => killProcess(pidfd, SIG.TERM)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
  call(close(pidfd));
});

test('wait4 tells the same in its own words', async () => {
  const { pid, pidfd } = orphan('sh -c "sleep 0.2; exit 200"');
  const killed = orphan('sleep 60');
  killProcess(killed.pidfd, SIG.KILL);
  const statuses = [];
  for (const child of [{ pid, pidfd }, killed]) {
    await watchExit(child.pidfd);
    const status = Buffer.alloc(4);
    call(wait4(child.pid, status, W.NOHANG, null));
    statuses.push(decodeWaitStatus(status.readInt32LE()));
    call(close(child.pidfd));
  }
  expect(statuses).toEqual([{ code: 200 }, { code: 137, signal: SIG.KILL }]);
  // Dumped core: bit 7.
  expect(decodeWaitStatus(0x80 | SIG.SEGV)).toEqual({ code: 139, signal: SIG.SEGV });
});

test('a hundred processes are watched by one thread, some twice, in whatever order they end', async () => {
  const children = Array.from({ length: 100 }, (_, index) => orphan(`sleep 0.${2 + ((index * 7) % 5)}`));
  const watches = children.flatMap(({ pidfd }, index) => [
    watchExit(pidfd),
    ...(index % 10 === 0 ? [watchExit(pidfd)] : []),
  ]);
  // The pool's other threads go on working meanwhile.
  await Promise.all(Array.from({ length: 20 }, () => readFile('/proc/self/stat')));
  await Promise.all(watches);
  for (const { pidfd } of children) {
    expect(reap(pidfd)).toEqual({ code: 0 });
    call(close(pidfd));
  }
});

test('an exit that is on its way is not taken for that of a process that is watched instead', async () => {
  const [ended, running] = [orphan('sleep 0.1'), orphan('sleep 60')];
  await watchExit(ended.pidfd);
  const givenUp = new AbortController();
  const first = watchExit(ended.pidfd, givenUp.signal);
  // The thread sees it at once, and we cannot hear of it while we sleep.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  givenUp.abort();
  const second = watchExit(running.pidfd);
  await expect(first).rejects.toThrow();
  expect(await Promise.race([second.then(() => 'ended'), sleep(200, 'runs')])).toBe('runs');
  killProcess(running.pidfd, SIG.KILL);
  await second;
  for (const { pidfd } of [ended, running]) {
    reap(pidfd);
    call(close(pidfd));
  }
});

test('a process that is not our child, and one that has ended already', async () => {
  const child = spawn('sh', ['-c', 'sleep 0.3 & echo $!; wait']);
  const closed = once(child, 'close');
  const [line] = await once(child.stdout, 'data');
  const pidfd = call(pidfdOpen(Number(line), 0));
  const watch = watchExit(pidfd);
  call(close(pidfd));
  await watch;
  await closed;

  const gone = orphan('sleep 0.2');
  await watchExit(gone.pidfd);
  reap(gone.pidfd);
  await watchExit(gone.pidfd);
  call(close(gone.pidfd));
});

test('a watch can be given up', async () => {
  const { pidfd } = orphan('sleep 60');
  const controller = new AbortController();
  const [given, kept] = [watchExit(pidfd, controller.signal), watchExit(pidfd)];
  controller.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  await expect(watchExit(pidfd, controller.signal)).rejects.toThrow('enough');
  killProcess(pidfd, SIG.KILL);
  await kept;
  reap(pidfd);
  call(close(pidfd));
});

/** A Node that watches a process which runs for `sleep`, and meanwhile runs `code`. */
function watcher(sleep: string, code: string) {
  const script = `
    import { spawn } from 'node:child_process';
    import { call } from '${import.meta.dirname}/call.ts';
    import { watchExit } from '${import.meta.dirname}/exits.ts';
    import { pidfdOpen } from '${import.meta.dirname}/syscalls.ts';
    const child = spawn('sleep', ['${sleep}'], { stdio: 'ignore' });
    child.unref();
    const abort = new AbortController();
    watchExit(call(pidfdOpen(child.pid, 0)), abort.signal).then(() => console.log('ended'), () => console.log('given up'));
    ${code}`;
  const { status, stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return { status, stdout, signal };
}

test('a Node that has nothing to watch any more ends by itself', () => {
  expect(watcher('0.2', '')).toEqual({ status: 0, stdout: 'ended\n', signal: null });
  expect(watcher('20', 'setTimeout(() => { abort.abort(); child.kill() }, 50)')).toEqual({
    status: 0,
    stdout: 'given up\n',
    signal: null,
  });
});

test('process.exit and an uncaught error end a Node that still watches', () => {
  expect(watcher('20', 'setTimeout(() => { child.kill(); process.exit(3) }, 50)').status).toBe(3);
  expect(watcher('20', 'setTimeout(() => { child.kill(); throw 1 }, 50)').status).toBe(1);
});
