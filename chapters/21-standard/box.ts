// Chapter 21. The box as an OCI runtime: it makes boxes for other engines, from bundles.
// Run: node chapters/21-standard/box.ts create [--bundle DIRECTORY] [--pid-file FILE] [--console-socket SOCKET] ID
//      … box.ts start ID | state ID | kill [--all] ID [SIGNAL] | delete [--force] ID
//      and before each of them [--root DIRECTORY] [--log FILE] [--log-format text|json]
import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Mistake } from '../04-mounts/mistake.ts';
import { create } from './create.ts';
import { remove, signal, start } from './life.ts';
import { type Box, readBox, stateOf } from './record.ts';

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
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
  },
});
const [verb = '', id = '', signalName = 'TERM'] = positionals;
const { root, force = false, all = false } = values;
const box = (): Box => readBox(root, id);

const verbs: Record<string, () => unknown> = {
  create: () =>
    create({
      root,
      id,
      bundle: resolve(values.bundle),
      pidFile: values['pid-file'],
      consoleSocket: values['console-socket'],
    }),
  start: () => start(box()),
  state: () => console.log(JSON.stringify(stateOf(box()), null, 2)),
  kill: () => signal(box(), signalName, all),
  delete: () => remove(box(), force),
};

try {
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
    appendFileSync(values.log, `${JSON.stringify({ level: 'error', msg, time: new Date() })}\n`);
  process.exit(1);
}
