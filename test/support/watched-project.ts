// `compose watch` for a test file: one run of it at a time, and the files that it follows.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { composeProject } from './compose-project.ts';
import { MAIN, NODE } from './daemon.ts';

export const PATIENCE = { timeout: 60_000 };
/** Milliseconds: on a busy machine each of its many commands takes seconds. */
export const LONG = 120_000;

export function watchedProject() {
  const project = composeProject();
  let watching: ChildProcess | undefined;

  /** As Ctrl-C does. */
  async function interrupt(): Promise<void> {
    if (watching === undefined) return;
    watching.kill('SIGINT');
    if (watching.exitCode === null && watching.signalCode === null) await once(watching, 'exit');
    watching = undefined;
  }
  afterEach(interrupt);

  /** Starts the command, and resolves when it watches. */
  async function watch(...command: string[]): Promise<{ output(): string }> {
    const args = ['compose', '-p', 'demo', '--project-directory', project.directory, ...command];
    const child = spawn(NODE, [MAIN, ...args], {
      env: { ...process.env, DOCKER_HOST: project.daemon.host },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    watching = child;
    let said = '';
    let out = '';
    child.stdout!.on('data', chunk => (out += chunk));
    child.stderr!.on('data', chunk => (said += chunk));
    await expect.poll(() => said, PATIENCE).toContain(' Watch web');
    return { output: () => out };
  }

  return {
    project,
    watch,
    interrupt,
    write: (path: string, text: string): void => writeFileSync(join(project.directory, path), text),
    inWeb: (command: string) => project.compose(['exec', '-T', 'web', 'sh', '-c', command]),
  };
}
