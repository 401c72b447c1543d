// The end-to-end tests with an ordinary user's daemon: each file in a run of its own, but for the promises that need root.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasProgram } from './support/foreign-clients.ts';
import { usersMayMakeNamespaces } from './support/ordinary-user.ts';

const PAUSE = 'only control groups can freeze';
const LIMITS = 'it sets limits';
const MINE = "it looks at root's own ways: modes, files of root's, the form of an attribute";

/** Test files with the tests left out, and why. */
const FILES: Record<string, Record<string, string>> = {
  'test/lifecycle.test.ts': {
    'created, running, paused, running, exited: and each step only from where it makes sense': PAUSE,
  },
  'test/streams.test.ts': {},
  'test/terminal.test.ts': {},
  'test/health.test.ts': {},
  'test/hijack.test.ts': {},
  'test/build.test.ts': {
    'ADD of a URL is the file itself, checked when the Dockerfile says how':
      "the server is on the host's 127.0.0.1",
    '--network=none has no network, USER and WORKDIR count, and limits are kept': LIMITS,
  },
  'test/docker-answers.test.ts': {
    'options without effect are accepted with a warning': LIMITS,
    'an out-of-memory event is reported, even if no process is killed': LIMITS,
    '--cpus and a quota do not undo each other': LIMITS,
    'an update that would undo another limit is refused': LIMITS,
  },
  'test/copy-paths.test.ts': { 'capabilities of a program go with it': MINE },
  'test/compose.test.ts': {
    'stop, start, pause, unpause, restart, kill, wait and rm': PAUSE,
    'secrets and configs are files in the container': MINE,
    'the same file gives the same containers, networks and volumes as with docker-compose 1.29': LIMITS,
  },
  'test/daemon-life.test.ts': {
    'a paused container is found paused, and a stopped one stopped': PAUSE,
    'half-made and half-removed containers are gone, and the run directory is cleaned up': MINE,
    "only root and the socket's group may use the socket": MINE,
    'no descriptor of the daemon gets into a container, and the host sees none of its mounts': MINE,
  },
  'test/why.test.ts': {
    'its limit of memory': LIMITS,
    'a child of its shell was killed for memory': LIMITS,
    'a group above it was out of memory': LIMITS,
    'after a daemon that was killed': LIMITS,
    'a connection comes through, and then a rule drops it': "the rule is in the host's network",
    'it has no network, or is paused': PAUSE,
    'its quota of processor time': LIMITS,
    'it is at its limit of memory': LIMITS,
    'its limit of writing to a device': LIMITS,
    'it may have no more processes': LIMITS,
    'a volume that belongs to another user, and a limit of processes': MINE,
    'not permitted to the user': MINE,
    'a port that a program of the host has': 'only root sees which program that is',
  },
  'test/crash.long.test.ts': {},
  'test/clients.test.ts': { 'a container lives: run -d to rm': PAUSE },
};

const root = join(import.meta.dirname, '..');
const vitest = join(root, 'node_modules/.bin/vitest');

test.skipIf(!usersMayMakeNamespaces || !hasProgram('newuidmap')).each(Object.entries(FILES))(
  '%s holds for an ordinary user, too',
  async (file, others) => {
    const names = Object.keys(others).map(name => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const filter = names.length === 0 ? [] : ['-t', `^(?!.*(?:${names.join('|')}))`];
    const { code, output } = await new Promise<{ code: number; output: string }>(resolve => {
      // The run's own directory for temporary files is not this run's to clean.
      const env = { ...process.env, TMPDIR: '/tmp', MINI_DOCKER_TEST_ROOTLESS: '1', CRASH_ROUNDS: '8' };
      execFile(
        vitest,
        ['run', file, ...filter],
        { cwd: root, env, maxBuffer: 2 ** 26 },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
      );
    });
    expect(code, output).toBe(0);
    expect(output).toContain(' 0 failed');
  },
  600_000,
);
