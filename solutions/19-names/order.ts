// Starts commands in the order that they need.   Run: node order.ts FILE
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

interface Service {
  command: string[];
  depends_on?: Record<string, { condition: string }>;
}

const services = new Map<string, Service>(
  Object.entries(parse(readFileSync(process.argv[2]!, 'utf8')).services),
);

interface Started {
  /** Its exit code, when it has ended. */
  ended: Promise<number>;
}

function start(name: string): Started {
  const [program = '', ...words] = services.get(name)!.command;
  const child = spawn(program, words, { stdio: 'inherit' });
  return { ended: once(child, 'exit').then(([code]) => code ?? 255) };
}

/** What a service depends on: [name, { condition }]. */
const othersOf = (name: string): [string, { condition: string }][] =>
  Object.entries(services.get(name)!.depends_on ?? {});

function refuseCircles(name: string, path: readonly string[] = []): void {
  if (path.includes(name)) throw new Error(`a circle: ${[...path, name].join(' → ')}`);
  for (const [other] of othersOf(name)) refuseCircles(other, [...path, name]);
}

async function startInTurn(name: string): Promise<Started> {
  for (const [other, { condition }] of othersOf(name)) {
    const { ended } = await begin(other);
    if (condition === 'service_completed_successfully' && (await ended) !== 0)
      throw new Error(`${name} is not started: ${other} has failed`);
  }
  return start(name);
}

const begun = new Map<string, Promise<Started>>();

/** Starts a service, unless it has been started already. @returns what resolves when it is started */
function begin(name: string): Promise<Started> {
  const already = begun.get(name) ?? startInTurn(name);
  begun.set(name, already);
  return already;
}

try {
  for (const name of services.keys()) refuseCircles(name);
  const all = await Promise.allSettled([...services.keys()].map(begin));
  const failed = all.filter(each => each.status === 'rejected');
  for (const { reason } of failed) console.error(`order: ${reason.message}`);
  if (failed.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(`order: ${(error as Error).message}`);
  process.exitCode = 1;
}
