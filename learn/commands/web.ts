// `learn web`: the course in a browser, live or as files.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { streamPicture } from '../../mini-docker/cli/picture/stream.ts';
import { makeDirectories } from '../../mini-docker/linux/make-directories.ts';
import { serveLocally, type Tell } from '../../mini-docker/web/server.ts';
import { UserError } from '../course.ts';
import { looks } from '../sandbox/looks.ts';
import { bold, dim, print } from '../screen.ts';
import { exportSite } from '../web/export.ts';
import { Live } from '../web/live.ts';
import { contentAt } from '../web/site.ts';
import { workFolder } from '../work.ts';

export async function web(options: { export?: string; port?: number; socket?: string }): Promise<void> {
  if (options.export !== undefined) return writeSite(resolve(options.export));
  const { promise, resolve: stop } = Promise.withResolvers<void>();
  // A second Ctrl-C ends it at once.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop());
  await using live = watching();
  const { port = 0, socket } = options;
  const site = {
    command: 'learn web',
    page: (path: string) => contentAt(path, { live: true }),
    actions: 'check/',
    act: (slug: string) => (live.check(slug) ? { status: 202, text: 'checking' } : undefined),
    streams: {
      events: (tell: Tell) => live.listen(tell),
      'sandbox-picture': streamPicture({
        noun: 'sandbox',
        empty: 'Open one in a terminal: learn shell',
        looks,
      }),
    },
  };
  const where = socket === undefined ? { port } : { socket: resolve(socket) };
  await using server = await serveLocally(site, where).catch(({ message }: Error) => {
    const hint = socket === undefined ? '; without --port, learn finds a free one' : '';
    throw new UserError(`cannot serve the course: ${message}${hint}`);
  });
  print(`\n  ${server.invitation.replace(/http:\S+/, address => bold(address))}`);
  print('  Its exercises are checked whenever you save a file in work/.\n');
  print(dim('  the address is for you alone; Ctrl-C stops'));
  await promise;
}

/** @throws UserError if the work folder cannot be made or watched */
function watching(): Live {
  try {
    return new Live();
  } catch (error) {
    throw new UserError(`cannot watch ${workFolder}: ${(error as Error).message}`);
  }
}

async function writeSite(directory: string): Promise<void> {
  try {
    makeDirectories(directory);
    if (readdirSync(directory).length > 0 && !isExport(directory))
      throw new UserError(`${directory} contains other files; name a new or an empty directory`);
    const count = await exportSite(directory);
    print(`${count} files; open ${resolve(directory, 'index.html')}`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new UserError(`cannot write the course to ${directory}: ${error.message}`);
  }
}

/** Whether an earlier export may be replaced there. */
function isExport(directory: string): boolean {
  const index = resolve(directory, 'index.html');
  return existsSync(index) && readFileSync(index, 'utf8').includes('<title>Chapters – mini-docker</title>');
}
