// The checker's registry, at work in the sandbox.
import { type Lab, quote } from '../grader/lab.ts';
import type { Running } from '../sandbox/capture.ts';
import { kitTool } from './kit.ts';

export interface Registry {
  /** '127.0.0.1:4711' */
  address: string;
  /** Its directory in the sandbox: blobs/sha256/HEX, manifests/NAME/TAG. */
  directory: string;
  /** The requests so far. */
  requests(): string[];
}

/** @param words further arguments, see capstone/kit/registry.ts */
export async function startRegistry(lab: Lab, words: readonly string[] = []): Promise<Registry> {
  const port = lab.random.integer(10_000, 30_000);
  const directory = `/tmp/${lab.random.word()}`;
  const program = ['node', '--no-warnings', kitTool('registry.ts'), `${port}`, directory, ...words];
  const running: Running = await lab.arrange(program);
  if (!(await lab.until(() => running.stdout.includes('ready'))))
    throw new Error(`the registry does not start: ${quote(running.stderr)}`);
  return {
    address: `127.0.0.1:${port}`,
    directory,
    requests: () => running.stdout.split('\n').slice(1).filter(Boolean),
  };
}
