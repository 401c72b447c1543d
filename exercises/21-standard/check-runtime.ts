// The checks of runtime.ts: the life of a box with a pause in it, first by hand, then with podman at the other end.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIG } from '#linux';
import { workDirectory } from '../../learn/grader/grade.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';

const COURSE = resolve(import.meta.dirname, '../..');
type Captured = Awaited<ReturnType<Lab['run']>>;
const ROOTFS = '/tmp/box/rootfs';

const insideSandbox = (lab: Lab, path: string): string => `/proc/${lab.sandbox.pid}/root${path}`;

async function makeRoot(lab: Lab): Promise<void> {
  const made = await lab.command(['node', `${COURSE}/chapters/05-root/box.ts`, 'true']);
  if (made.code !== 0) throw new Error(`a root cannot be made: ${ending(made)}, ${made.stderr}`);
}

/** Two processes that count, each in a file of the root. @returns the files, as the sandbox shows them */
function counting(lab: Lab): { argv: string[]; files: string[] } {
  const names = [lab.random.word(), lab.random.word()];
  const count = (name: string): string =>
    `i=0; while sleep 0.03; do i=$((i+1)); echo $i > /${name}.new; mv /${name}.new /${name}; done`;
  return {
    argv: ['sh', '-c', `(${count(names[0]!)}) & ${count(names[1]!)}`],
    files: names.map(name => `${ROOTFS}/${name}`),
  };
}

const read = (lab: Lab, file: string): string =>
  existsSync(insideSandbox(lab, file)) ? readFileSync(insideSandbox(lab, file), 'utf8') : '';

/** Whether all files change within the time. */
async function allMove(lab: Lab, files: readonly string[]): Promise<boolean> {
  const before = files.map(file => read(lab, file));
  return lab.until(() => files.every((file, index) => read(lab, file) !== before[index]));
}

/** Files that change although they should not. */
async function moving(lab: Lab, files: readonly string[]): Promise<string[]> {
  const before = files.map(file => read(lab, file));
  await sleep(150);
  return files.filter((file, index) => read(lab, file) !== before[index]);
}

function writeBundle(lab: Lab, bundle: string, change: object): void {
  const config = JSON.parse(readFileSync(join(COURSE, 'chapters/21-standard/bundle/config.json'), 'utf8'));
  const { argv, ...others } = change as { argv: string[] };
  config.process.args = argv;
  writeFileSync(insideSandbox(lab, `${bundle}/config.json`), JSON.stringify({ ...config, ...others }));
}

interface Seen {
  status?: string;
  pid?: number;
  annotations?: Record<string, string>;
}

const parsed = ({ stdout }: Captured): Seen => {
  try {
    return JSON.parse(stdout);
  } catch {
    return {};
  }
};

export async function checkPause(lab: Lab): Promise<void> {
  const { random } = lab;
  const bundle = `/tmp/${random.word()}`;
  await makeRoot(lab);
  await lab.command(['mkdir', bundle]);
  const { argv, files } = counting(lab);
  const id = random.word();
  const annotations = { [random.word()]: random.word() };
  writeBundle(lab, bundle, { argv, annotations });
  const pidFile = `${bundle}/pid`;

  /** Whether the state is as promised, with the pid of its process unless it has none. */
  const hasState = async (check: string, status: string, when: string): Promise<void> => {
    const ran = await lab.run(['state', id]);
    const seen = parsed(ran);
    const wanted = ['creating', 'stopped'].includes(status) ? seen.pid : Number(read(lab, pidFile));
    const told = seen.status === status && seen.pid === wanted && (status !== 'stopped' || !seen.pid);
    lab.promise(check, ran.code === 0 && told, {
      promised: `${when}, state says ${status}${status === 'stopped' ? ', and no pid' : ''}`,
      seen: ran.code === 0 ? `status ${seen.status}, pid ${seen.pid}` : ending(ran),
      look: 'the answer can only come from the kernel: processes, the gate, the freezer',
    });
  };
  const succeeds = async (check: string, promised: string, ...words: string[]): Promise<void> => {
    const ran = await lab.run(words);
    lab.promise(check, ran.code === 0, {
      promised,
      seen: `${ending(ran)} ${ran.stderr.trim()}`.trim(),
      look: `by hand: box ${words.join(' ')}`,
    });
  };
  const fails = async (check: string, when: string, ...words: string[]): Promise<void> => {
    const ran = await lab.run(words);
    lab.promise(check, ran.code !== 0, {
      promised: `${words[0]} of a box that is ${when} is an error`,
      seen: ending(ran),
      look: 'which state may follow which? The lifecycle in runtime.md of the runtime-spec',
    });
  };

  await succeeds('creates', 'create succeeds', 'create', '--bundle', bundle, '--pid-file', pidFile, id);
  await hasState('created', 'created', 'after create');
  await fails('only-running', 'created', 'pause', id);
  await succeeds('starts', 'start succeeds', 'start', id);
  await hasState('running', 'running', 'after start');
  if (!(await allMove(lab, files))) throw new Error('the box does not count');
  await succeeds('pauses', 'pause succeeds', 'pause', id);
  const awake = await moving(lab, files);
  lab.promise('still', awake.length === 0, {
    promised: 'when pause has returned, every process of the box stands still',
    seen: `${awake.length} of ${files.length} still count`,
    look: 'a signal reaches one process; the freezer a whole group',
  });
  await hasState('paused', 'paused', 'after pause');
  await fails('pause-twice', 'paused', 'pause', id);
  await fails('delete-paused', 'paused', 'delete', id);
  await succeeds('resumes', 'resume succeeds', 'resume', id);
  lab.promise('goes-on', await allMove(lab, files), {
    promised: 'after resume, all processes of the box go on',
    seen: 'they do not',
    look: 'freezer.state, cgroup.freeze',
  });
  await fails('resume-twice', 'running', 'resume', id);

  await lab.run(['pause', id]);
  await succeeds('kills', 'kill succeeds', 'kill', id, 'KILL');
  await lab.until(async () => parsed(await lab.run(['state', id])).status === 'stopped', 3000);
  await hasState('killed', 'stopped', 'after SIGKILL, though it was paused');
  await fails('kill-stopped', 'stopped', 'kill', id, 'KILL');
  await fails('pause-stopped', 'stopped', 'pause', id);
  await succeeds('deletes', 'delete of a stopped box succeeds', 'delete', id);
  await fails('forgotten', 'deleted', 'state', id);

  // By force, while it is paused.
  await lab.run(['create', '--bundle', bundle, id]);
  await lab.run(['start', id]);
  await lab.run(['pause', id]);
  await succeeds('force', 'delete --force ends also a paused box', 'delete', '--force', id);
  const group = `${lab.sandbox.group('pids')}/box/${id}`;
  lab.promise('nothing-left', !existsSync(group), {
    promised: 'delete leaves no control group behind',
    seen: `box/${id} is still there`,
    look: 'destroy() in life.ts',
  });

  // A creator that is killed in the middle of its work.
  const hook = ['sleep', `${random.integer(1_000_000, 9_000_000)}`];
  const hooks = { createRuntime: [{ path: '/bin/sleep', args: hook }] };
  writeBundle(lab, bundle, { argv: ['sleep', '1000'], hooks });
  const creator = await lab.start(['create', '--bundle', bundle, id]);
  if ((await lab.find(hook)) === undefined) throw new Error('the hook did not start');
  await hasState('creating', 'creating', 'while a createRuntime hook runs');
  creator.kill(SIG.KILL);
  await creator.ended;
  await lab.until(async () => parsed(await lab.run(['state', id])).status !== 'creating', 3000);
  await hasState('creator-killed', 'stopped', 'after create was killed in the middle of its work');
  await succeeds('cleans-up', 'what a killed create has left can be deleted', 'delete', id);
}

export async function checkEngine(lab: Lab): Promise<void> {
  const { random } = lab;
  await makeRoot(lab);
  const runtime = `/tmp/${random.word()}`;
  const file = join(workDirectory('21-standard'), 'runtime.ts');
  writeFileSync(insideSandbox(lab, runtime), `#!/bin/sh\nexec ${process.execPath} ${file} "$@"\n`, {
    mode: 0o755,
  });
  const own = ['--root', '/tmp/podman', '--runroot', '/run/podman', '--storage-driver', 'vfs'];
  const flags = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'file', '--runtime', runtime];
  const podman = (...words: string[]): Promise<Captured> =>
    lab.command(['podman', ...own, ...flags, ...words], { timeout: 20_000 });
  const promise = (check: string, kept: boolean, promised: string, ran: Captured): void =>
    lab.promise(check, kept, {
      promised,
      seen: ran.timedOut
        ? 'it waits for an answer'
        : `${ending(ran)} ${ran.stderr.trim().slice(-300)}`.trim(),
      look: 'let the runtime write its arguments to a file, and do by hand what podman did',
    });

  const [word, code, name] = [random.word(), random.integer(3, 100), random.word()];
  // A root instead of an image: there is nothing to import.
  const usual = ['--net', 'none', '--ulimit', 'host', '--rootfs', ROOTFS];
  const ran = await podman('run', '--rm', ...usual, 'sh', '-c', `echo ${word}; exit ${code}`);
  promise(
    'runs',
    ran.stdout.trim() === word && ran.code === code,
    `podman run prints ${word} and exits with ${code}`,
    ran,
  );

  const { argv, files } = counting(lab);
  const started = await podman('run', '-d', '--name', name, ...usual, ...argv);
  promise(
    'stays',
    started.code === 0 && (await allMove(lab, files)),
    'podman run -d starts a box that stays',
    started,
  );
  const paused = await podman('pause', name);
  const awake = await moving(lab, files);
  promise(
    'pauses',
    paused.code === 0 && awake.length === 0,
    'podman pause stops every process of the box',
    paused,
  );
  const shown = await podman('inspect', '-f', '{{.State.Status}}', name);
  promise('paused', shown.stdout.trim() === 'paused', 'podman inspect says that the box is paused', shown);
  const resumed = await podman('unpause', name);
  promise(
    'goes-on',
    resumed.code === 0 && (await allMove(lab, files)),
    'after podman unpause it goes on',
    resumed,
  );
  const stopped = await podman('stop', '-t', '0', name);
  const ended = await podman('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name);
  promise(
    'stops',
    stopped.code === 0 && ended.stdout.trim() === 'exited 137',
    'podman stop -t 0 ends it: exited 137',
    ended,
  );
  const removed = await podman('rm', name);
  promise('removes', removed.code === 0, 'podman rm removes it', removed);
}
