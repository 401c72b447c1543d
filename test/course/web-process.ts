// Commands with a page for the browser, started for a test.
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

/** Starts a command that prints the address of its page, and ends with Ctrl-C. */
export async function startServer(argv: readonly string[], env: Record<string, string>): Promise<Web> {
  const [program, ...args] = argv as [string, ...string[]];
  const server = spawn(program, args, {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit').then(([code]) => code as number | null);
  let said = '';
  for await (const chunk of server.stdout) {
    said += chunk;
    const [address] = /http:\S+/.exec(said) ?? [];
    if (address !== undefined && said.includes('Ctrl-C')) return { server, address: new URL(address), ended };
  }
  throw new Error(`${argv.join(' ')} printed no address: ${said}`);
}

export const startWeb = (work: string): Promise<Web> =>
  startServer([join(repository, 'bin/learn'), 'web'], { LEARN_WORK: work });

/** What a page's script hears. */
export async function* newsFrom(
  address: URL,
): AsyncGenerator<{ name: string; data: Record<string, unknown> }> {
  const response = await fetch(address);
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (rest + chunk).split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event)!;
      yield { name: name!, data: JSON.parse(data!) };
    }
  }
}
