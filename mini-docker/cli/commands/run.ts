import type { ContainerCreateBody } from '../../formats/engine-api.ts';
import { command } from '../command.ts';
import { waitForExit } from '../container-wait.ts';
import { createBody } from '../create-body.ts';
import { createContainer } from '../create-container.ts';
import { CREATE_FLAGS } from '../create-flags.ts';
import type { DaemonClient } from '../daemon-client.ts';
import { CommandError, OUR_FAULT, startExitCode } from '../errors.ts';
import { toggle, toggleOff } from '../flags.ts';
import { print } from '../output.ts';
import { passSignals } from '../signal-proxy.ts';
import { checkDetachKeys, checkTerminal, joinStreams, type StreamEnd } from '../stream.ts';
import { consoleSize, onResize, rawMode } from '../terminal.ts';

const FLAGS = {
  ...CREATE_FLAGS,
  detach: toggle('Leave it running and print its id', 'd'),
  'sig-proxy': toggleOff('Pass signals on to it'),
  explain: toggle('Print the system calls that would start it, and do nothing'),
  trace: toggle('Print the system calls that started it, with results and times'),
  json: toggle('With --explain and --trace: print JSON'),
};

export const run = command({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  description:
    "Ends with the program's exit code, or 125 when the engine failed, 126 when the program cannot be run, 127 when there is none.",
  flags: FLAGS,
  least: 1,
  passThrough: true,
  examples: [
    ['run -it --rm busybox', 'A shell; the container is removed when it ends'],
    ['run -d --name web -p 8080:80 -v ./site:/www:ro busybox httpd -f -h /www', 'A web server'],
    ['run --rm -m 64m --cpus 0.5 --pids-limit 20 busybox free', 'With limits'],
    ['run --explain busybox true', 'The system calls that would start it'],
  ],
  async run({ flags, args, daemon }) {
    const [image, ...rest] = args as [string, ...string[]];
    checkDetachKeys(flags['detach-keys']);
    if (flags.detach && flags.attach.length > 0) {
      throw new CommandError('conflicting options: cannot specify both --attach and --detach', {
        exitCode: OUR_FAULT,
      });
    }
    const body = createBody({ flags, image, command: rest, environment: process.env });
    if (flags.explain) {
      const { explain } = await import('../explain.ts');
      return explain(daemon, body, flags);
    }
    if (flags.detach)
      Object.assign(body, { AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false });
    else checkTerminal({ tty: flags.tty, stdin: Boolean(body.AttachStdin) });
    if (flags.tty) body.HostConfig!.ConsoleSize = consoleSize();
    if (flags.trace)
      body.HostConfig!.Annotations = { ...body.HostConfig!.Annotations, 'mini-docker.trace': '1' };

    const id = await createContainer(daemon, body, flags);
    if (!flags.detach) return runAttached({ daemon, id, body, flags });
    try {
      await daemon.text('POST', `/containers/${id}/start`);
    } catch (error) {
      throw withExitCode(error);
    }
    print(id);
    if (flags.trace) await printTrace(daemon, id, flags.json);
    return 0;
  },
});

interface Attached {
  daemon: DaemonClient;
  id: string;
  body: ContainerCreateBody;
  flags: {
    rm: boolean;
    tty: boolean;
    'sig-proxy': boolean;
    'detach-keys': string | undefined;
    trace: boolean;
    json: boolean;
  };
}

async function runAttached({ daemon, id, body, flags }: Attached): Promise<number> {
  const [stdin, stdout, stderr] = [
    Boolean(body.AttachStdin),
    Boolean(body.AttachStdout),
    Boolean(body.AttachStderr),
  ];
  const detachKeys = flags['detach-keys'];
  const [connection, wait] = await Promise.all([
    daemon.hijack(`/containers/${id}/attach`, { query: { stream: true, stdin, stdout, stderr, detachKeys } }),
    waitForExit(daemon, id, flags.rm ? 'removed' : 'next-exit'),
  ]);
  const restore = flags.tty && stdin ? await rawMode() : () => {};
  const stopSignals = flags['sig-proxy'] ? passSignals(daemon, id) : () => {};
  let stopResize = () => {};
  let end: StreamEnd;
  let trace: Promise<() => void> | undefined;
  try {
    const streams = joinStreams({ connection, tty: flags.tty, stdin, stdout, stderr, detachKeys });
    // Its failure is met below; until then the start decides.
    streams.catch(() => {});
    try {
      await daemon.text('POST', `/containers/${id}/start`);
    } catch (error) {
      connection.socket.destroy();
      if (flags.rm) await wait.ended;
      throw withExitCode(error);
    }
    // Asked for at once: with --rm it is gone as soon as the container is.
    if (flags.trace) trace = fetchTrace(daemon, id, flags.json);
    if (flags.tty) {
      stopResize = onResize(({ rows, columns }) =>
        daemon.text('POST', `/containers/${id}/resize`, { query: { h: rows, w: columns } }).then(() => {}),
      );
    }
    end = await streams;
  } finally {
    stopResize();
    restore();
    stopSignals();
  }
  (await trace)?.();
  return end === 'detached' ? 0 : wait.exitCode();
}

/** The container was made and could not be started: the exit code says why, as a shell's does. */
const withExitCode = (error: unknown) =>
  new CommandError(`Error response from daemon: ${(error as Error).message.trim()}`, {
    exitCode: startExitCode(error),
    cause: error,
  });

async function fetchTrace(daemon: DaemonClient, id: string, json: boolean): Promise<() => void> {
  const { traceOf } = await import('../explain.ts');
  return traceOf(daemon, id, json);
}

async function printTrace(daemon: DaemonClient, id: string, json: boolean): Promise<void> {
  (await fetchTrace(daemon, id, json))();
}
