import { resolve } from 'node:path';
import type { View } from '../../formats/view.ts';
import { serveLocally } from '../../web/server.ts';
import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { CommandError } from '../errors.ts';
import { integer, text, toggle } from '../flags/flags.ts';
import { pictureSite } from '../picture/site.ts';
import { streamPicture } from '../picture/stream.ts';
import { print } from '../show/output.ts';
import { showView } from '../view/session.ts';
import type { Action } from '../view/state.ts';

const ACTIONS: readonly Action[] = [
  {
    key: 'l',
    word: 'logs',
    command: ['logs', '--follow', '--tail', '100'],
    shows: 'terminal',
    leave: 'Ctrl-C',
  },
  { key: 'e', word: 'shell', command: ['exec', '-it'], after: ['sh'], shows: 'terminal', leave: 'exit' },
  { key: 's', word: 'stop', command: ['stop'], shows: 'message', asks: true },
  { key: 'r', word: 'restart', command: ['restart'], shows: 'message', asks: true },
  { key: 'i', word: 'inspect', command: ['inspect'], shows: 'page' },
  { key: 'w', word: 'why', command: ['why'], shows: 'page' },
];

/** A page cannot follow a log, or have a shell. */
const PAGE_ACTIONS: readonly Action[] = [
  { key: 'l', word: 'logs', command: ['logs', '--tail', '200'], shows: 'page' },
  ...ACTIONS.filter(({ shows }) => shows !== 'terminal'),
];

export const view = command({
  usage: '[OPTIONS] [CONTAINER]',
  description:
    'Shows live, as the kernel has them, all containers and the host, and the processes, namespaces, mounts, control group, network and rights of the container that you choose. Changes are marked for five seconds. Press q to quit. With --web, the same appears as a picture in a browser.',
  flags: {
    web: toggle('Show it in a browser: print the address of a page on 127.0.0.1'),
    port: integer('port', 'With --web, the port; a free one by default'),
    socket: text('path', 'With --web, a unix socket instead of a port, for a tunnel: ssh -L 8080:PATH'),
  },
  examples: [
    ['view', 'Look at all containers'],
    ['view web', 'Begin with one of them'],
    ['view --web', 'Look at them in a browser'],
  ],
  async run({ args, flags, given, daemon, name }) {
    const [first] = args;
    const looks = (box: string | undefined) =>
      daemon.jsonStream<View>('GET', '/mini-docker/view', { query: { container: box ?? first } });
    const words = {
      noun: 'container',
      empty: 'Start one in another terminal: mini-docker run -it busybox',
      program: [process.execPath, ...process.execArgv, ...upToCommand(process.argv.slice(1), name)],
      looks,
    };
    if (flags.port !== undefined && (flags.port < 0 || flags.port > 65_535))
      throw new CommandError(`there is no port ${flags.port}`);
    if (flags.web) {
      if (first !== undefined) await daemon.json('GET', containerPath(first, '/json'));
      else await daemon.text('GET', '/_ping');
      daemon.neverStart();
      const where =
        flags.socket === undefined ? { port: flags.port ?? 0 } : { socket: resolve(flags.socket) };
      return await servePicture({ ...words, command: `mini-docker ${name} --web` }, where);
    }
    const [useless] = ['port', 'socket'].filter(each => given.has(each));
    if (useless !== undefined) throw new CommandError(`--${useless} is only for --web`);
    await showView({ ...words, title: `mini-docker ${name}`, actions: ACTIONS, environment: process.env });
  },
});

/** Until Ctrl-C. */
async function servePicture(
  options: Omit<Parameters<typeof pictureSite>[0], 'stream' | 'actions'> &
    Parameters<typeof streamPicture>[0],
  where: { port: number } | { socket: string },
): Promise<number> {
  const { promise, resolve: stop } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop());
  const site = pictureSite({ ...options, stream: streamPicture(options), actions: PAGE_ACTIONS });
  await using server = await serveLocally(site, where).catch(({ message }: Error) => {
    throw new CommandError(`cannot serve the page: ${message}`);
  });
  print(`${server.invitation} The address is for you alone; Ctrl-C stops.`);
  await promise;
  return 0;
}

/** The program's path and the flags before the command's name: --host and certificates. */
function upToCommand(argv: readonly string[], name: string): string[] {
  return argv.slice(0, argv.indexOf(name, 1));
}
