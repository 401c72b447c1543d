import type { ExecCreateBody, ExecInspect } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { CommandError } from '../errors.ts';
import { decodeEnvFile } from '../flags/env-file.ts';
import { list, text, toggle } from '../flags/flags.ts';
import { ownVariables, readBytes } from '../run/create-body.ts';
import { checkDetachKeys, checkTerminal, joinStreams } from '../run/stream.ts';
import { consoleSize, followSize, rawMode } from '../run/terminal.ts';

export const exec = command({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  description: "Exits with the command's exit code, 126 if it cannot be run, or 127 if it is not found.",
  flags: {
    detach: toggle('Detached mode: run command in the background', 'd'),
    'detach-keys': text('string', 'Override the key sequence for detaching a container'),
    env: list('list', 'Set environment variables', 'e'),
    'env-file': list('list', 'Read in a file of environment variables'),
    interactive: toggle('Keep STDIN open even if not attached', 'i'),
    privileged: toggle('Give extended privileges'),
    tty: toggle('Allocate a pseudo-TTY', 't'),
    user: text('string', 'Username or UID (format: <name|uid>[:<group|gid>])', 'u'),
    workdir: text('string', 'Working directory inside the container', 'w'),
  },
  passThrough: true,
  examples: [
    ['exec -it web sh', 'Open a shell in a running container'],
    ['exec -u nobody -w /tmp web pwd', 'Run as another user in another directory'],
  ],
  async run({ flags, args, daemon }) {
    const [container, ...cmd] = args as [string, ...string[]];
    checkDetachKeys(flags['detach-keys']);
    if (!flags.detach) checkTerminal({ tty: flags.tty, stdin: flags.interactive });
    const size = consoleSize();
    const body: ExecCreateBody = {
      AttachStdin: flags.interactive && !flags.detach,
      AttachStdout: !flags.detach,
      AttachStderr: !flags.detach,
      Tty: flags.tty,
      Cmd: cmd,
      Privileged: flags.privileged,
      User: flags.user ?? '',
      WorkingDir: flags.workdir ?? '',
      DetachKeys: flags['detach-keys'] ?? '',
      Env: [
        ...flags['env-file'].flatMap(file => decodeEnvFile(readBytes(file), key => process.env[key])),
        ...ownVariables(flags.env, process.env),
      ],
      ...(flags.tty && size[0] > 0 ? { ConsoleSize: size } : {}),
    };
    const path = containerPath(container, '/exec');
    const { Id: id } = await daemon.json<{ Id: string }>('POST', path, { json: body });
    const settings = {
      Detach: flags.detach,
      Tty: flags.tty,
      ...(body.ConsoleSize ? { ConsoleSize: size } : {}),
    };
    if (flags.detach) await daemon.text('POST', `/exec/${id}/start`, { json: settings });
    else if ((await runAttached(daemon, id, settings, flags)) === 'detached') return 0;
    return flags.detach ? 0 : exitCodeOf(daemon, id);
  },
});

async function runAttached(
  daemon: DaemonClient,
  id: string,
  settings: object,
  flags: { interactive: boolean; tty: boolean; 'detach-keys': string | undefined },
) {
  const { tty, interactive: stdin } = flags;
  const connection = await daemon.hijack(`/exec/${id}/start`, { json: settings });
  using attached = new DisposableStack();
  if (tty && stdin) attached.defer(await rawMode());
  if (tty) attached.defer(followSize(daemon, `/exec/${id}`));
  return await joinStreams({ connection, tty, stdin, detachKeys: flags['detach-keys'] });
}

async function exitCodeOf(daemon: DaemonClient, id: string): Promise<number> {
  const { ExitCode } = await daemon.json<ExecInspect>('GET', `/exec/${id}/json`);
  if (ExitCode === null) throw new CommandError(`the exit code of exec ${id} is not known`);
  return ExitCode;
}
