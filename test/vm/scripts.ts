// Scripts for Node in a virtual machine, bundled to JavaScript: Node takes types off with WebAssembly, which is slow in
// an emulated machine (2 s) and, with several emulated processors, now and then ends Node with a segmentation fault.
import { join } from 'node:path';
import { build } from 'esbuild';
import { repository } from './image.ts';

/**
 * @param scripts paths in the repository: 'test/cgroups/run-promises.ts'
 * @returns the bundle of each, beside one another as their sources are, for node to run in the machine
 */
export async function bundleScripts(...scripts: string[]): Promise<string[]> {
  const outdir = join(repository, '.cache/vm/scripts');
  await build({
    absWorkingDir: repository,
    entryPoints: scripts,
    outbase: repository,
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
  return scripts.map(script => join(outdir, script.replace(/ts$/, 'js')));
}
