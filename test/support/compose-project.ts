// A project in a directory of its own, for tests of `mini-docker compose` with a daemon.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { ContainerInspect, ContainerSummary } from '../../mini-docker/formats/engine-api/containers.ts';
import { commandLines } from './command-lines.ts';
import { startDaemon, type TestDaemon } from './daemon.ts';
import { type EngineClient, engineClient } from './engine-client.ts';

/** Starts a daemon for the file's tests, and gives each a directory; the project 'demo' goes after each. */
export function composeProject() {
  let daemon: TestDaemon;
  let engine: EngineClient;
  let directory: string;
  const [ours] = commandLines(() => daemon) as [ReturnType<typeof commandLines>[0]];

  beforeAll(async () => {
    daemon = await startDaemon();
    engine = engineClient(daemon);
  });
  afterAll(() => daemon.stop());
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'mini-docker-compose-'));
  });
  afterEach(async () => {
    await compose('down -v -t 0 --remove-orphans');
    rmSync(directory, { recursive: true });
  });

  const words = (args: string | string[]) => (typeof args === 'string' ? args.split(' ') : args);
  const compose = (args: string | string[]) =>
    ours.cli(['compose', '-p', 'demo', '--project-directory', directory, ...words(args)]);

  /** What it printed, once it went well. */
  async function does(args: string | string[]): Promise<string> {
    const { code, out, err } = await compose(args);
    expect({ args, code, err: code === 0 ? '' : err }).toEqual({ args, code: 0, err: '' });
    return out;
  }

  const filters = (project = 'demo') =>
    `filters=${encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${project}`] }))}`;
  const inspected = (name: string) => engine.json<ContainerInspect>('GET', `/containers/${name}/json`);
  return {
    get daemon() {
      return daemon;
    },
    get engine() {
      return engine;
    },
    get directory() {
      return directory;
    },
    ours,
    file: (text: string, name = 'compose.yaml') => writeFileSync(join(directory, name), text),
    compose,
    does,
    filters,
    listed: (project?: string) =>
      engine.json<ContainerSummary[]>('GET', `/containers/json?all=1&${filters(project)}`),
    inspected,
    idOf: async (name: string) => (await inspected(name)).Id,
  };
}
