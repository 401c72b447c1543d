import type { ContainerInspect } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { CommandError } from '../errors.ts';
import { text, toggle, toggleOff } from '../flags/flags.ts';
import { waitForExit } from '../run/container-wait.ts';
import { passSignals } from '../run/signal-proxy.ts';
import { checkDetachKeys, checkTerminal, joinStreams } from '../run/stream.ts';
import { followSize, rawMode } from '../run/terminal.ts';
import { printError } from '../show/output.ts';

export const attach = command({
  usage: '[OPTIONS] CONTAINER',
  description: 'Press Ctrl-P Ctrl-Q to detach from a container with a terminal; it keeps running.',
  flags: {
    'detach-keys': text('string', 'Override the key sequence for detaching a container'),
    'no-stdin': toggle('Do not attach STDIN'),
    'sig-proxy': toggleOff('Proxy received signals to the process'),
  },
  examples: [['attach box', 'Reattach to a container after Ctrl-P Ctrl-Q']],
  async run({ flags, args, daemon }) {
    checkDetachKeys(flags['detach-keys']);
    const inspected = await daemon.json<ContainerInspect>('GET', containerPath(args[0]!, '/json'));
    const { Id: id, Config, State } = inspected;
    if (!State.Running) throw new CommandError('cannot attach to a stopped container, start it first');
    if (State.Paused) throw new CommandError('cannot attach to a paused container, unpause it first');
    if (State.Restarting)
      throw new CommandError('cannot attach to a restarting container, wait until it is running');
    const tty = Boolean(Config.Tty);
    const stdin = !flags['no-stdin'] && Boolean(Config.OpenStdin);
    checkTerminal({ tty, stdin });
    const detachKeys = flags['detach-keys'];
    const [connection, wait] = await Promise.all([
      daemon.hijack(`/containers/${id}/attach`, {
        query: { stream: true, stdin, stdout: true, stderr: true, detachKeys },
      }),
      waitForExit(daemon, id, 'next-exit'),
    ]);
    using attached = new DisposableStack();
    if (tty && stdin) attached.defer(await rawMode());
    if (flags['sig-proxy'] && !tty) attached.defer(passSignals(daemon, id));
    if (tty) attached.defer(followSize(daemon, `/containers/${id}`));
    if ((await joinStreams({ connection, tty, stdin, detachKeys })) === 'detached') {
      attached.dispose();
      printError('read escape sequence');
      return 0;
    }
    return wait.exitCode();
  },
});
