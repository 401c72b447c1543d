import type { ContainerCreateBody, ContainerInspect } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { beforeProgram, DaemonError, hasStatus } from '../errors.ts';
import { type FlagValues, text, toggle, toggleOff } from '../flags/flags.ts';
import { createBody } from '../run/create-body.ts';
import { createContainer } from '../run/create-container.ts';
import { CREATE_FLAGS, EXPLAIN } from '../run/create-flags.ts';
import { startAttached } from '../run/start-attached.ts';
import { checkDetachKeys, checkTerminal } from '../run/stream.ts';
import { consoleSize } from '../run/terminal.ts';
import { print, printError } from '../show/output.ts';

const FLAGS = {
  ...CREATE_FLAGS,
  detach: toggle('Run container in background and print container ID', 'd'),
  'sig-proxy': toggleOff('Proxy received signals to the process'),
  explain: EXPLAIN,
  section: text('name', 'With --explain: only the steps of this part'),
  trace: toggle('Print the system calls that started it, with results and times'),
  json: toggle('With --explain and --trace: print JSON'),
};

export const run = command({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  description:
    "Exits with the program's exit code, or 125 if the engine failed, 126 if the program cannot be run, 127 if it is not found.",
  flags: FLAGS,
  passThrough: true,
  examples: [
    ['run -it --rm busybox', 'Open a shell; remove the container when it exits'],
    ['run -d --name web -p 8080:80 -v ./site:/www:ro busybox httpd -f -h /www', 'Run a web server'],
    ['run --rm -m 64m --cpus 0.5 --pids-limit 20 busybox free', 'Set limits'],
    ['run --explain busybox true', 'Show what would start it, part by part'],
    ['run --explain=full busybox true', 'Show every system call with its reason'],
  ],
  async run({ flags, args, daemon }) {
    const [image, ...rest] = args as [string, ...string[]];
    checkDetachKeys(flags['detach-keys']);
    if (flags.detach && flags.attach.length > 0) {
      throw beforeProgram('conflicting options: cannot specify both --attach and --detach');
    }
    const body = createBody({ flags, image, command: rest, environment: process.env });
    if (flags.explain !== 'no') {
      const { explain } = await import('../run/explain.ts');
      return explain(daemon, body, flags);
    }
    if (flags.detach)
      Object.assign(body, { AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false });
    else checkTerminal({ tty: flags.tty, stdin: Boolean(body.AttachStdin) });
    if (flags.tty) body.HostConfig!.ConsoleSize = consoleSize();
    if (flags.trace) return runTraced({ daemon, body, flags });
    return runContainer({ daemon, body, flags });
  },
});

type RunFlags = FlagValues<typeof FLAGS>;

interface Run {
  daemon: DaemonClient;
  body: ContainerCreateBody;
  flags: RunFlags;
}

async function runContainer({ daemon, body, flags }: Run): Promise<number> {
  // Attach and start take a connection each; they are opened while the daemon creates the container.
  if (!flags.detach) setImmediate(() => void daemon.openAhead(2));
  const id = await createContainer(daemon, body, { ...flags, starts: true });
  if (!flags.detach) return runAttached({ daemon, body, flags }, id);
  await start(daemon, id);
  print(id);
  return 0;
}

/**
 * The trace belongs to the container, and is read after it has exited, so the daemon must not remove it
 * before.
 */
async function runTraced({ daemon, body, flags }: Run): Promise<number> {
  body.HostConfig = {
    ...body.HostConfig,
    AutoRemove: flags.rm && flags.detach,
    Annotations: { ...body.HostConfig?.Annotations, 'mini-docker.trace': '1' },
  };
  const id = await createContainer(daemon, body, flags);
  const { printTrace } = await import('../run/explain.ts');
  try {
    if (!flags.detach) return await runAttached({ daemon, body, flags: { ...flags, rm: false } }, id);
    await start(daemon, id);
    print(id);
    return 0;
  } finally {
    await printTrace(daemon, id, flags.json);
    if (flags.rm && !flags.detach) await removeEnded(daemon, id);
  }
}

async function removeEnded(daemon: DaemonClient, id: string): Promise<void> {
  try {
    await daemon.text('DELETE', `/containers/${id}`, { query: { v: true } });
  } catch (error) {
    // After a detach the container still runs, and the user has to remove it.
    if (!hasStatus(error, 409)) throw error;
    printError(`mini-docker: ${id.slice(0, 12)} still runs: with --trace it is not removed when it ends`);
  }
}

async function runAttached({ daemon, body, flags }: Run, id: string): Promise<number> {
  return startAttached({
    daemon,
    id,
    tty: flags.tty,
    streams: {
      stdin: Boolean(body.AttachStdin),
      stdout: Boolean(body.AttachStdout),
      stderr: Boolean(body.AttachStderr),
    },
    detachKeys: flags['detach-keys'],
    signals: flags['sig-proxy'],
    removed: flags.rm,
    discarded: flags.rm,
    start: () => start(daemon, id),
  });
}

async function start(daemon: DaemonClient, id: string): Promise<void> {
  try {
    await daemon.text('POST', `/containers/${id}/start`);
  } catch (error) {
    if (!(error instanceof DaemonError) || error.exitCode !== undefined) throw error;
    // dockerd's answer does not tell; the container's state does, with 128 when the program is not at fault.
    const { State } = await daemon.json<ContainerInspect>('GET', `/containers/${id}/json`).catch(() => {
      throw error;
    });
    const isOfProgram = State.ExitCode === 126 || State.ExitCode === 127;
    throw isOfProgram ? new DaemonError(error.status, error.message, State.ExitCode) : error;
  }
}
