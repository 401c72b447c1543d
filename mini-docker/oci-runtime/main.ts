// The entry point of mini-docker-runtime: an OCI runtime in the place of runc.
import { runCommandLine } from './command-line.ts';

async function main(): Promise<void> {
  process.exit(await runCommandLine(process.argv.slice(2)));
}

void main();
