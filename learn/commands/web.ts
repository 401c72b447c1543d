// `learn web`: the course in a browser.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../course.ts';
import { print } from '../screen.ts';
import { exportSite } from '../web/export.ts';

export async function web({ export: directory }: { export: string }): Promise<void> {
  return writeSite(resolve(directory));
}

async function writeSite(directory: string): Promise<void> {
  try {
    mkdirSync(directory, { recursive: true });
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
