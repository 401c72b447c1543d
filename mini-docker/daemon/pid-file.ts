// The file that tells scripts and init systems the daemon's pid, as dockerd's --pidfile.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readRegular } from '../linux/kept-file.ts';
import { makeDirectories } from '../linux/make-directories.ts';

/**
 * Writes the file, which the result removes again.
 * @param path undefined: there is none
 * @throws Error with one line when the process of an earlier daemon still runs
 */
export function writePidFile(path: string | undefined): Disposable | undefined {
  if (path === undefined) return undefined;
  makeDirectories(dirname(path), 0o755);
  const pid = existsSync(path) ? readRegular(path).toString().trim() : '';
  if (/^\d+$/.test(pid) && pid !== String(process.pid) && existsSync(`/proc/${pid}`))
    throw new Error(
      `failed to start daemon, ensure it is not running or delete ${path}: process with PID ${pid} is still running`,
    );
  writeFileSync(path, String(process.pid));
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}
