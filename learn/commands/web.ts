// `learn web`: the course in a browser, live or as files.
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { makeDirectories } from '../../mini-docker/linux/make-directories.ts';
import { UserError } from '../course.ts';
import { bold, dim, print } from '../screen.ts';
import { exportSite } from '../web/export.ts';
import { Live } from '../web/live.ts';
import { serve } from '../web/server.ts';
import { workFolder } from '../work.ts';

export async function web(options: { export?: string; port?: number }): Promise<void> {
  if (options.export !== undefined) return writeSite(resolve(options.export));
  const { promise, resolve: stop } = Promise.withResolvers<void>();
  // A second Ctrl-C ends it at once.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop());
  await using live = watching();
  const token = randomBytes(16).toString('hex');
  const server = await serve({ port: options.port ?? 0, token, live }).catch(({ message }: Error) => {
    throw new UserError(`cannot serve the course: ${message}; without --port, learn finds a free one`);
  });
  const { port } = server.address() as AddressInfo;
  print(`\n  Open ${bold(`http://127.0.0.1:${port}/${token}/`)} in a browser.`);
  print('  Its exercises are checked whenever you save a file in work/.\n');
  print(dim('  the address is for you alone; Ctrl-C stops'));
  await promise;
  server.close();
  server.closeAllConnections();
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
