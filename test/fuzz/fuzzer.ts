// The parts that all fuzzers share: a daemon, a seed, a bound of cases and of time; and after each case the questions
// whether the daemon is well, whether it blamed itself, and in the end what is left.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type Answer, type EngineClient, engineClient } from '../support/engine-client.ts';
import { type Random, seeded } from './random.ts';

export interface FuzzOptions {
  seed: number;
  cases: number;
  /** Milliseconds; what comes first ends it. */
  patience: number;
}

export interface Fuzzed {
  cases: number;
  /** Each with what it takes to see it again. */
  findings: string[];
}

/** One fuzzer. */
export type Fuzzer = (options: FuzzOptions) => Promise<Fuzzed>;

export interface FuzzedDaemon {
  daemon: TestDaemon;
  client: EngineClient;
  random: Random;
  /** Sends bytes, or JSON; the answer, or undefined when the daemon ended the connection. */
  send(method: string, path: string, body?: Buffer | object): Promise<Answer | undefined>;
  finding(what: string): void;
}

/** Runs cases until there have been enough. `label` is what a case did, for findings. */
export async function cases(
  options: FuzzOptions,
  one: (random: Random, note: (what: string) => void) => Promise<void>,
): Promise<Fuzzed> {
  const deadline = Date.now() + options.patience;
  const findings: string[] = [];
  let done = 0;
  for (; done < options.cases && Date.now() < deadline && findings.length < 20; done++) {
    const seed = options.seed + done;
    const note = (what: string) => void findings.push(`seed ${seed}: ${what}`);
    try {
      await one(seeded(seed), note);
    } catch (error) {
      note(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
  return { cases: done, findings };
}

/** The same against a daemon, which must be well after each case, and have nothing left in the end. */
export async function daemonCases(
  options: FuzzOptions,
  parts: {
    prepare?(fuzzed: Omit<FuzzedDaemon, 'random' | 'finding'>): Promise<void>;
    one(fuzzed: FuzzedDaemon): Promise<void>;
  },
): Promise<Fuzzed> {
  const daemon = await startDaemon();
  const client = engineClient(daemon);
  const send = (method: string, path: string, body?: Buffer | object) => ask(daemon, { method, path, body });
  let result: Fuzzed = { cases: 0, findings: [] };
  try {
    await parts.prepare?.({ daemon, client, send });
    const before = memoryOf(daemon.pid);
    let log = daemon.log().length;
    result = await cases(options, async (random, finding) => {
      await parts.one({ daemon, client, random, send, finding });
      const { status } = await within(5000, client.ask('GET', '/_ping'));
      if (status !== 200) finding(`_ping answers ${status}`);
      const said = daemon.log().slice(log);
      log = daemon.log().length;
      for (const line of said.split('\n'))
        if (/ error (?!.*(?:ENOSPC|cannot be reached))/.test(line)) finding(`the daemon says: ${line}`);
    });
    const growth = memoryOf(daemon.pid) - before;
    if (growth > 300 << 20) result.findings.push(`the daemon has grown by ${growth >> 20} MiB`);
    for (const name of ['images/tmp', 'build/tmp']) {
      const directory = join(daemon.dataRoot, name);
      const left = existsSync(directory) ? readdirSync(directory) : [];
      if (left.length > 0) result.findings.push(`left in ${name}: ${left.join(' ')}`);
    }
  } finally {
    await daemon.stop().catch((error: Error) => result.findings.push(error.message.slice(0, 3000)));
  }
  return result;
}

/** Resident memory in bytes. */
const memoryOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;

export function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
  return Promise.race([work, promise]).finally(() => clearTimeout(late));
}

/** A status of 500 means an unforeseen error; a system call in a message is of use only to authors of the daemon. */
export function checkAnswer({ status, body }: Answer, doing: string, finding: (what: string) => void): void {
  const text = body.toString();
  if (status >= 500 && status !== 501) finding(`${doing.slice(0, 1000)}: ${status} ${text.slice(0, 500)}`);
  if (/\b[a-z_0-9]+\([^)]*\): E[A-Z]+/.test(text))
    finding(`${doing.slice(0, 1000)}: a raw system call: ${text.slice(0, 500)}`);
}

async function ask(
  daemon: TestDaemon,
  { method, path, body }: { method: string; path: string; body?: Buffer | object | undefined },
): Promise<Answer | undefined> {
  const { request } = await import('node:http');
  return within(
    20_000,
    new Promise(resolve => {
      const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json';
      let asked: ReturnType<typeof request>;
      try {
        asked = request({
          socketPath: daemon.socket,
          method,
          path,
          agent: false,
          headers: { 'content-type': type, 'content-length': String(bytes?.length ?? 0) },
        });
      } catch {
        // Node sends no such path.
        resolve(undefined);
        return;
      }
      asked.on('response', async reply => {
        const chunks = await reply.toArray().catch(() => []);
        resolve({ status: reply.statusCode!, body: Buffer.concat(chunks) });
      });
      asked.on('error', () => resolve(undefined));
      asked.end(bytes);
    }),
  );
}
