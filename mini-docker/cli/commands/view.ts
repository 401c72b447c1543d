import type { View } from '../../formats/view.ts';
import { command } from '../command.ts';
import { showView } from '../view/session.ts';
import type { Action } from '../view/state.ts';

const ACTIONS: readonly Action[] = [
  { key: 'l', word: 'logs', command: ['logs', '--follow', '--tail', '100'], shows: 'terminal' },
  { key: 'e', word: 'shell', command: ['exec', '-it'], after: ['sh'], shows: 'terminal' },
  { key: 's', word: 'stop', command: ['stop'], shows: 'message', asks: true },
  { key: 'r', word: 'restart', command: ['restart'], shows: 'message', asks: true },
  { key: 'i', word: 'inspect', command: ['inspect'], shows: 'page' },
  { key: 'w', word: 'why', command: ['why'], shows: 'page' },
];

export const view = command({
  usage: '[CONTAINER]',
  description:
    'Shows in one window what the kernel has: the containers, and of the chosen one its processes, namespaces, mounts, control group, network and rights, beside the host. What changes is marked for five seconds. Press q to quit.',
  flags: {},
  least: 0,
  most: 1,
  examples: [
    ['view', 'Look at all containers'],
    ['view web', 'Begin with one of them'],
  ],
  async run({ args, daemon, name }) {
    const [first] = args;
    await showView({
      title: `mini-docker ${name}`,
      noun: 'container',
      empty: 'Start one in another terminal: mini-docker run -it busybox',
      actions: ACTIONS,
      environment: process.env,
      looks: chosen =>
        daemon.jsonStream<View>('GET', '/mini-docker/view', { query: { container: chosen ?? first } }),
      program: [process.execPath, ...process.execArgv, ...upToCommand(process.argv.slice(1), name)],
    });
    return 0;
  },
});

/** The program's path and the flags before the command's name: --host and certificates. */
function upToCommand(argv: readonly string[], name: string): string[] {
  return argv.slice(0, argv.indexOf(name, 1));
}
