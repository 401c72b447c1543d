// A daemon that is killed loses neither its containers nor their exit codes nor their output.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import type { Container, CreateOptions } from './container.ts';
import { createRuntime } from './runtime.ts';
import { readState } from './state.ts';
import { TestContainers, textOf } from './testing/container.ts';

const containers = new TestContainers();
afterAll(() => containers[Symbol.dispose]());
const orphan = fileURLToPath(new URL('./testing/orphan.ts', import.meta.url));

/** Starts a container in a process that is then killed with SIGKILL. */
async function abandoned(
  spec: Spec,
  extra: Partial<CreateOptions> = {},
  settle?: (pid: number) => Promise<void>,
) {
  const options = containers.options(spec, extra);
  const daemon = spawn(process.execPath, [orphan, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(daemon.stdout, 'data')) as [Buffer];
  await settle?.(Number(line));
  daemon.kill('SIGKILL');
  await once(daemon, 'close');
  return { options, pid: Number(line) };
}

async function adopted(options: CreateOptions): Promise<Container> {
  const container = await createRuntime().adopt(options);
  if (container === undefined) throw new Error('nothing was found');
  return container;
}

test('a running container is found again, with what it has written meanwhile, and ends with its code', async () => {
  const spec = containers.spec(['sh', '-c', 'seq 1000; read line; echo "got $line"; exit 5']);
  const { options, pid } = await abandoned(spec, { stdin: true });
  const container = await adopted(options);
  expect(container.pid).toBe(pid);
  container.stdin!.end('after the daemon died\n');
  const lines = (await textOf(container.stdout)).trimEnd().split('\n');
  expect(lines.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, (_, index) => String(index + 1)));
  expect(lines.slice(1000)).toEqual(['got after the daemon died']);
  expect(await container.exited).toMatchObject({ code: 5 });
  await container.delete();
});

test('a container that ended while no daemon was there: its exit code, its time and its output are known', async () => {
  const spec = containers.spec(['sh', '-c', 'sleep 0.3; echo last words; echo of error >&2; exit 6']);
  const { options, pid } = await abandoned(spec);
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  await pause(200);
  const asked = new Date();
  const container = await adopted(options);
  const [stdout, stderr, exit] = await Promise.all([
    textOf(container.stdout),
    textOf(container.stderr),
    container.exited,
  ]);
  expect([stdout, stderr, exit.code]).toEqual(['last words\n', 'of error\n', 6]);
  expect(exit.at.getTime()).toBeLessThan(asked.getTime() - 100);
  await container.delete();
});

test('a terminal is found again', async () => {
  const spec = containers.spec(
    ['sh', '-c', 'stty -echo; echo here; read line; echo "got $line"; stty size'],
    ({ process }) => {
      process.terminal = true;
      process.consoleSize = { height: 10, width: 20 };
    },
  );
  const { options } = await abandoned(spec);
  const container = await adopted(options);
  let output = '';
  container.stdout!.on('data', data => {
    output += data;
  });
  await expect.poll(() => output).toContain('here');
  container.resize({ rows: 33, columns: 44 });
  container.stdin!.write('a line\n');
  expect((await container.exited).code).toBe(0);
  await expect.poll(() => output).toMatch(/got a line\r\n33 44/);
  await container.delete();
});

test('an adopted container can be executed into, signalled and deleted', async () => {
  const { options } = await abandoned(containers.spec(['sleep', '100']));
  const container = await adopted(options);
  const { process } = containers.spec(['sh', '-c', 'echo inside; exit 3']);
  const execution = await container.exec({ process, stdin: false });
  expect(await textOf(execution.stdout)).toBe('inside\n');
  container.kill(9);
  expect((await container.exited).code).toBe(137);
  await container.delete();
  const again = await adopted(options);
  expect((await again.exited).code).toBe(137);
  await again.delete();
  rmSync(options.directory, { recursive: true });
  expect(await createRuntime().adopt(options)).toBeUndefined();
});

test('a daemon that dies before it lets the program run leaves a container that ends by itself', async () => {
  const marker = 'must-not-run';
  const options = containers.options(containers.spec(['sh', '-c', `echo ${marker}`]));
  const script = `
    import { createRuntime } from ${JSON.stringify(new URL('./runtime.ts', import.meta.url).href)};
    const container = await createRuntime().create(${JSON.stringify(options)});
    process.stdout.write(container.pid + '\\n');
    setInterval(() => {}, 1000);`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(daemon.stdout, 'data');
  daemon.kill('SIGKILL');
  await once(daemon, 'close');
  const container = await adopted(options);
  expect((await container.exited).code).toBe(125);
  expect(await textOf(container.stdout)).toBe('');
  await container.delete();
});

test('a container whose monitor was killed runs on, and how it ends is unknown and not invented', async () => {
  const { options } = await abandoned(containers.spec(['sleep', '1']));
  const { monitor, container: identity } = readState(options.directory)!;
  process.kill(monitor.pid, 'SIGKILL');
  const container = await adopted(options);
  expect(container.pid).toBe(identity.pid);
  expect(await container.exited).toMatchObject({ code: undefined });
  await container.delete();
});

test('a monitor is small, and ignores every signal but SIGKILL', async () => {
  const { options } = await abandoned(containers.spec(['sleep', '100']));
  const { monitor } = readState(options.directory)!;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.kill(monitor.pid, signal);
  const status = readFileSync(`/proc/${monitor.pid}/status`, 'utf8');
  expect(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1])).toBeLessThanOrEqual(30);
  const container = await adopted(options);
  container.kill(9);
  expect((await container.exited).code).toBe(137);
  await container.delete();
});
