// Chapter 21. The box as an OCI runtime: it makes boxes for other engines, from bundles.
// Run: node chapters/21-standard/box.ts create [--bundle DIRECTORY] [--pid-file FILE] [--console-socket SOCKET] ID
//      … box.ts start ID | state ID | kill [--all] ID [SIGNAL] | delete [--force] ID
//      and before each of them [--root DIRECTORY] [--log FILE] [--log-format text|json]
//      … box.ts run … IMAGE [COMMAND…], and all the other verbs of chapter 20
import { appendFileSync, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Mistake } from '../04-mounts/mistake.ts';
import { addedVerbs } from '../12-stay/spec.ts';
import { create } from './create.ts';
import { remove, signal, start } from './life.ts';
import { type Box, isKnown, readBox, stateOf } from './record.ts';

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const options = {
  root: { ...text, default: '/tmp/box/runtime' },
  log: text,
  'log-format': text,
  bundle: { ...text, short: 'b', default: '.' },
  'pid-file': text,
  'console-socket': text,
  all: { ...flag, short: 'a' },
  force: { ...flag, short: 'f' },
  version: { ...flag, short: 'v' },
  // Of runc; podman and containerd may use them. Our boxes have no key store, and always a root that can be pivoted.
  'no-new-keyring': flag,
  'no-pivot': flag,
} as const;
// The other verbs have options that are not for us to judge.
const { values, positionals } = parseArgs({ allowPositionals: true, strict: false, options });
const [verb = '', id = '', signalName = 'TERM'] = positionals;
const root = String(values.root);
const box = (): Box => readBox(root, id);

const verbs: Record<string, () => unknown> = {
  create: () =>
    create({
      root,
      id,
      bundle: resolve(String(values.bundle)),
      pidFile: values['pid-file'] as string | undefined,
      consoleSocket: values['console-socket'] as string | undefined,
    }),
  start: () => start(box()),
  state: () => console.log(JSON.stringify(stateOf(box()), null, 2)),
  kill: () => signal(box(), signalName, values.all === true),
  delete: () => remove(box(), values.force === true),
};
addedVerbs.push(...Object.keys(verbs).filter(each => each !== 'start'));

/** Both kinds of boxes can be started. */
const isOlder = verb === 'start' && !isKnown(root, id) && existsSync(`/tmp/box/containers/${id}`);
/** Engines say options first, and mean no verb but a runtime's. */
const isTyped = process.argv[2] === verb;
if (isOlder || (isTyped && !Object.hasOwn(verbs, verb))) await import('../20-hosts/box.ts');
else await runVerb();

async function runVerb(): Promise<never> {
  try {
    parseArgs({ allowPositionals: true, options });
    if (values.version) console.log('box version 21\nspec: 1.0.2');
    else if (Object.hasOwn(verbs, verb)) await verbs[verb]!();
    else throw new Mistake(`there is no command ${verb}; there are ${Object.keys(verbs).join(', ')}`);
    // A created box shares our memory until it is started: without exit() we would wait for that.
    process.exit(0);
  } catch (error) {
    const msg = (error as Error).message;
    console.error(`box: ${msg}`);
    // Engines read the reason there, and show it to their users.
    if (values.log !== undefined)
      appendFileSync(String(values.log), `${JSON.stringify({ level: 'error', msg, time: new Date() })}\n`);
    process.exit(1);
  }
}
