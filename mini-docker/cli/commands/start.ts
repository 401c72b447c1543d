import type { ContainerInspect } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError, errorLine } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { waitForExit } from '../run/container-wait.ts';
import { passSignals } from '../run/signal-proxy.ts';
import { checkDetachKeys, joinStreams } from '../run/stream.ts';
import { onResize, rawMode } from '../run/terminal.ts';
import { print, printError } from '../show/output.ts';

export const start = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: {
    attach: toggle('Attach STDOUT/STDERR and forward signals', 'a'),
    'detach-keys': text('string', 'Override the key sequence for detaching a container'),
    interactive: toggle("Attach container's STDIN", 'i'),
  },
  examples: [
    ['start web', 'Start a container in the background'],
    ['start -ai box', 'Start a container and attach to it'],
  ],
  async run({ flags, args, daemon }) {
    checkDetachKeys(flags['detach-keys']);
    if (!flags.attach && !flags.interactive) return startAll(daemon, args);
    if (args.length > 1) throw new CommandError('you cannot start and attach multiple containers at once');
    return startAttached(daemon, args[0]!, flags.interactive, flags['detach-keys']);
  },
});

async function startAll(daemon: DaemonClient, containers: string[]): Promise<number> {
  const failed: string[] = [];
  for (const each of containers) {
    try {
      await daemon.text('POST', `/containers/${encodeURIComponent(each)}/start`);
      print(each);
    } catch (error) {
      printError(errorLine(error));
      failed.push(each);
    }
  }
  if (failed.length > 0) throw new CommandError(`Error: failed to start containers: ${failed.join(', ')}`);
  return 0;
}

async function startAttached(
  daemon: DaemonClient,
  container: string,
  interactive: boolean,
  detachKeys: string | undefined,
): Promise<number> {
  const inspected = await daemon.json<ContainerInspect>(
    'GET',
    `/containers/${encodeURIComponent(container)}/json`,
  );
  const { Id: id, Config, HostConfig } = inspected;
  const tty = Boolean(Config.Tty);
  const stdin = interactive && Boolean(Config.OpenStdin);
  const query = { stream: true, stdin, stdout: true, stderr: true, detachKeys };
  const [connection, wait] = await Promise.all([
    daemon.hijack(`/containers/${id}/attach`, { query }),
    waitForExit(daemon, id, HostConfig.AutoRemove ? 'removed' : 'next-exit'),
  ]);
  const restore = tty && stdin ? await rawMode() : () => {};
  const stopSignals = tty ? () => {} : passSignals(daemon, id);
  let stopResize = () => {};
  try {
    const streams = joinStreams({ connection, tty, stdin, detachKeys });
    streams.catch(() => {});
    await daemon.text('POST', `/containers/${id}/start`);
    if (tty) {
      stopResize = onResize(({ rows, columns }) =>
        daemon.text('POST', `/containers/${id}/resize`, { query: { h: rows, w: columns } }).then(() => {}),
      );
    }
    if ((await streams) === 'detached') return 0;
  } finally {
    stopResize();
    restore();
    stopSignals();
  }
  return wait.exitCode();
}
