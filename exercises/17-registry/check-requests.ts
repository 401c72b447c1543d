// The learner's registry, and requests to it from within the sandbox.
import { createHash } from 'node:crypto';
import { type Lab, quote } from '../../learn/grader/lab.ts';

export const digestOf = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const freePort = ({ random }: Lab): number => random.integer(20_000, 30_000);

export interface Step {
  method?: string;
  /** A path, or LOCATION for the one that the registry named last. */
  path: string;
  headers?: Record<string, string>;
  /** Added to the location. */
  digest?: string;
  body?: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export const LOCATION = '';

/** Takes steps on stdin and makes one request after the other. The first one waits for the registry to listen. */
const PROBE = `
const steps = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const [base, limit] = process.argv.slice(1);
(async () => {
  let location = '';
  const answers = [];
  for (const { method = 'GET', path, headers, digest, body } of steps) {
    const url = new URL(path === '' ? location : path, base);
    if (digest !== undefined) url.searchParams.set('digest', digest);
    for (const deadline = Date.now() + Number(limit); ; await new Promise(done => setTimeout(done, 50))) {
      try {
        // A server may close a connection that is idle at the moment in which the next request begins.
        const closing = { ...headers, connection: 'close' };
        const response = await fetch(url, { method, headers: closing, body, signal: AbortSignal.timeout(Number(limit)) });
        const text = await response.text();
        location = response.headers.get('location') ?? location;
        answers.push({ status: response.status, headers: Object.fromEntries(response.headers), body: text });
        break;
      } catch (error) {
        if (error.cause?.code === 'ECONNREFUSED' && Date.now() < deadline) continue;
        // The registry does not answer any more: nor would it answer the other requests.
        while (answers.length < steps.length) answers.push({ status: 0, headers: {}, body: String(error.cause?.code ?? error) });
        console.log(JSON.stringify(answers));
        process.exit();
      }
    }
  }
  console.log(JSON.stringify(answers));
})();
`;

export interface Registry {
  host: string;
  running: Awaited<ReturnType<Lab['start']>>;
  /** The answers to requests made one after another. */
  ask<Steps extends Step[]>(...steps: Steps): Promise<{ [Key in keyof Steps]: Answer }>;
}

export async function startRegistry(lab: Lab, port: number, directory: string): Promise<Registry> {
  const host = `127.0.0.1:${port}`;
  const running = await lab.start([`${port}`, directory]);
  const ask: Registry['ask'] = async (...steps) => {
    const asked = await lab.command(['node', '-e', PROBE, `http://${host}`, `${lab.patient(8000)}`], {
      input: JSON.stringify(steps),
      timeout: 20_000,
    });
    try {
      return JSON.parse(asked.stdout);
    } catch {
      return steps.map(() => ({
        status: 0,
        headers: {},
        body: `it took more than ${lab.patient(20)} seconds, or a million bytes`,
      }));
    }
  };
  const ended = running.ended.then(
    () => [{ status: 0, headers: {}, body: 'the program has ended' }] as const,
  );
  const [ping] = await Promise.race([ask({ path: '/v2/' }), ended]);
  lab.promise('ping', ping.status === 200, {
    promised: `GET /v2/ at ${host} answers 200: this is how clients find out that it is a registry`,
    seen: seen(ping),
    look: 'does it still run? It must not end, and must listen on 127.0.0.1',
  });
  return { host, running, ask };
}

export function seen({ status, body }: Answer): string {
  if (status === 0) return `there was no answer: ${body}`;
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  return `it answered ${status}${body === '' ? '' : ` ${code ?? quote(body)}`}`;
}
