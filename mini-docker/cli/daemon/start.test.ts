import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) {
    if (existsSync(`${directory}/pids`)) {
      for (const pid of readFileSync(`${directory}/pids`, 'utf8').trim().split('\n')) {
        try {
          process.kill(Number(pid));
        } catch {
          // It has ended by itself.
        }
      }
    }
    rmSync(directory, { recursive: true, force: true });
  }
});

/** A program that stands for the daemon, and one that wants it started. */
function prepare(daemon: string): { directory: string; want(): Promise<{ code: number; said: string }> } {
  const directory = mkdtempSync('/tmp/mini-docker-start-');
  directories.push(directory);
  writeFileSync(
    `${directory}/daemon.mjs`,
    `import { appendFileSync } from 'node:fs';
     import { createServer } from 'node:net';
     appendFileSync('${directory}/pids', process.pid + '\\n');
     ${daemon.replaceAll('SOCKET', `'${directory}/run/mini-docker.sock'`)}`,
  );
  writeFileSync(
    `${directory}/want.ts`,
    `import { startDaemon } from '${import.meta.dirname}/start.ts';
     const command = ['${process.execPath}', '${directory}/daemon.mjs'];
     const runDir = '${directory}/run';
     try {
       await startDaemon({ command, runDir, socket: runDir + '/mini-docker.sock' });
     } catch (error) {
       console.error(String(error));
       process.exit(1);
     }
     process.exit(0);`,
  );
  const want = () =>
    new Promise<{ code: number; said: string }>(resolve => {
      const child: ChildProcess = spawn(process.execPath, ['--no-warnings', `${directory}/want.ts`]);
      let said = '';
      child.stderr!.on('data', chunk => {
        said += chunk;
      });
      child.on('close', code => resolve({ code: code ?? -1, said }));
    });
  return { directory, want };
}

const root = process.getuid?.() === 0;

test.runIf(root)('commands at the same time start one daemon', async () => {
  const { directory, want } = prepare(`setTimeout(() => createServer(s => s.end()).listen(SOCKET), 300);`);
  const answers = await Promise.all([want(), want(), want(), want()]);
  expect(answers.map(each => each.code)).toEqual([0, 0, 0, 0]);
  expect(readFileSync(`${directory}/pids`, 'utf8').trim().split('\n')).toHaveLength(1);
  // One line, from the one that started it.
  expect(answers.map(each => each.said).join('')).toMatch(
    /^mini-docker: started its daemon \(pid \d+, log .*\)\n$/,
  );
});

test.runIf(root)('a daemon that cannot start is reported in its own words', async () => {
  const { want } = prepare(
    `console.error('noise\\nmini-docker: no overlay in this kernel: modprobe overlay\\n at x'); process.exit(1);`,
  );
  const { code, said } = await want();
  expect({ code, said }).toEqual({
    code: 1,
    said: 'NoDaemonError: no overlay in this kernel: modprobe overlay\n',
  });
});

test.runIf(root)('the socket of a daemon that was killed is no daemon', async () => {
  const { directory, want } = prepare(
    `import { rmSync } from 'node:fs'; rmSync(SOCKET, { force: true }); createServer(s => s.end()).listen(SOCKET);`,
  );
  expect((await want()).code).toBe(0);
  process.kill(Number(readFileSync(`${directory}/pids`, 'utf8').trim()), 'SIGKILL');
  await sleep(100);
  expect((await want()).code).toBe(0);
  expect(readFileSync(`${directory}/pids`, 'utf8').trim().split('\n')).toHaveLength(2);
});
