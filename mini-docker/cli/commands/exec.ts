import type { ExecCreateBody, ExecInspect } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError } from '../errors.ts';
import { decodeEnvFile } from '../flags/env-file.ts';
import { list, text, toggle } from '../flags/flags.ts';
import { ownVariables, readBytes } from '../run/create-body.ts';
import { checkDetachKeys, checkTerminal, joinStreams } from '../run/stream.ts';
import { consoleSize, onResize, rawMode } from '../run/terminal.ts';

export const exec = command({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  description: "Ends with the command's exit code, 126 when it cannot be run, 127 when there is none.",
  flags: {
    detach: toggle('Leave it running in the background', 'd'),
    'detach-keys': text('string', 'Keys that leave it running (ctrl-p,ctrl-q)'),
    env: list('list', 'Variable, KEY=VALUE, or KEY to pass on ours', 'e'),
    'env-file': list('list', 'File of variables'),
    interactive: toggle('Keep stdin open', 'i'),
    privileged: toggle('Give all rights over the host'),
    tty: toggle('Give it a terminal', 't'),
    user: text('string', 'User, NAME|UID[:GROUP|GID]', 'u'),
    workdir: text('string', 'Directory to be in', 'w'),
  },
  least: 2,
  passThrough: true,
  examples: [
    ['exec -it web sh', 'A shell beside the program'],
    ['exec -u nobody -w /tmp web pwd', 'As another user in another directory'],
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
    const path = `/containers/${encodeURIComponent(container)}/exec`;
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
  const restore = tty && stdin ? await rawMode() : () => {};
  const stopResize = tty
    ? onResize(({ rows, columns }) =>
        daemon.text('POST', `/exec/${id}/resize`, { query: { h: rows, w: columns } }).then(() => {}),
      )
    : () => {};
  try {
    return await joinStreams({ connection, tty, stdin, detachKeys: flags['detach-keys'] });
  } finally {
    stopResize();
    restore();
  }
}

async function exitCodeOf(daemon: DaemonClient, id: string): Promise<number> {
  const { ExitCode } = await daemon.json<ExecInspect>('GET', `/exec/${id}/json`);
  if (ExitCode === null) throw new CommandError(`the exit code of exec ${id} is not known`);
  return ExitCode;
}
