import type { ContainerInspect } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { CommandError, errorLine } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { startAttached } from '../run/start-attached.ts';
import { checkDetachKeys } from '../run/stream.ts';
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
    return attach(daemon, args[0]!, { interactive: flags.interactive, detachKeys: flags['detach-keys'] });
  },
});

async function startAll(daemon: DaemonClient, containers: string[]): Promise<number> {
  const failed: string[] = [];
  for (const each of containers) {
    try {
      await daemon.text('POST', containerPath(each, '/start'));
      print(each);
    } catch (error) {
      printError(errorLine(error));
      failed.push(each);
    }
  }
  if (failed.length > 0) throw new CommandError(`Error: failed to start containers: ${failed.join(', ')}`);
  return 0;
}

interface Attached {
  interactive: boolean;
  detachKeys: string | undefined;
}

async function attach(daemon: DaemonClient, container: string, options: Attached): Promise<number> {
  const path = containerPath(container, '/json');
  const { Id: id, Config, HostConfig } = await daemon.json<ContainerInspect>('GET', path);
  const tty = Boolean(Config.Tty);
  return startAttached({
    daemon,
    id,
    tty,
    streams: { stdin: options.interactive && Boolean(Config.OpenStdin), stdout: true, stderr: true },
    detachKeys: options.detachKeys,
    signals: !tty,
    removed: Boolean(HostConfig.AutoRemove),
    start: () => daemon.text('POST', `/containers/${id}/start`),
  });
}
