// `learn web`, started for a test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from '../../learn/repository.ts';

export interface Web {
  server: ChildProcess;
  /** With the token. */
  address: URL;
  /** The exit code. */
  ended: Promise<number | null>;
}

export async function startWeb(work: string): Promise<Web> {
  const env = { ...process.env, LEARN_WORK: work, NO_COLOR: '1' };
  const server = spawn(join(repository, 'bin/learn'), ['web'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'exit').then(([code]) => code as number | null);
  let said = '';
  for await (const chunk of server.stdout) {
    said += chunk;
    const [address] = /http:\S+/.exec(said) ?? [];
    if (address !== undefined && said.includes('Ctrl-C')) return { server, address: new URL(address), ended };
  }
  throw new Error(`learn web printed no address: ${said}`);
}
