// TypeScript for Node in a virtual machine, bundled to JavaScript: Node takes types off with WebAssembly, which is slow
// in an emulated machine (2 s).
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { repository } from './image.ts';

const outdir = join(repository, '.cache/vm/scripts');

const options: BuildOptions = {
  absWorkingDir: repository,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  logLevel: 'error',
};

/** Lets code find what lies beside its source: a bundle lies elsewhere. */
const whereItWas: Plugin = {
  name: 'where it was',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents, loader: 'ts' };
    });
  },
};

/**
 * @param script path in the repository: 'test/hints/other-kernel-scenes.ts'
 * @returns its bundle, for node to run in the machine
 */
export async function bundleScript(script: string): Promise<string> {
  const outfile = join(outdir, script.replaceAll('/', '-').replace(/ts$/, 'js'));
  await build({ ...options, entryPoints: [script], outfile, plugins: [whereItWas] });
  return outfile;
}

/**
 * @param files test files, paths in the repository
 * @param name of the bundle, different for each caller
 * @returns a script that runs them (vitest/vitest.ts), there until it is disposed of
 */
export async function bundleTests(
  files: readonly string[],
  name: string,
): Promise<Disposable & { script: string }> {
  const directory = join(outdir, name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const runner = './test/vm/vitest/vitest.ts';
  const loaders = files.map(file => `${JSON.stringify(file)}: () => import('./${file}')`);
  const main = join(directory, 'mini-docker/main.js');
  await build({
    ...options,
    entryPoints: ['mini-docker/main.ts'],
    splitting: true,
    outdir: dirname(main),
    plugins: [whereItWas],
  });
  await build({
    ...options,
    stdin: {
      contents: `import { run } from '${runner}';
process.env.MINI_DOCKER_MAIN = ${JSON.stringify(main)};
await run({ ${loaders.join(', ')} });
`,
      resolveDir: repository,
      sourcefile: 'run.ts',
    },
    // Each file's own code runs when its turn comes.
    splitting: true,
    outdir: directory,
    plugins: [whereItWas],
    alias: { vitest: runner },
  });
  return {
    script: join(directory, 'stdin.js'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
