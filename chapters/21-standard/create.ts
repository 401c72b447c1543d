// `create`: everything except the program. When it returns, the box is there, and its process waits at a gate.
import { closeSync, readSync, writeFileSync, writeSync } from 'node:fs';
import {
  AT,
  because,
  CLONE,
  call,
  chdir,
  clone,
  close,
  faccessat,
  type Item,
  inNetworkNamespace,
  LOOPBACK_INDEX,
  MS,
  mayFail,
  mknodat,
  mount,
  O,
  openat,
  openNetlink,
  openNetworkNamespace,
  pipe,
  processIdentity,
  read,
  resultOf,
  S_IF,
  SyscallError,
  sendDescriptors,
  sethostname,
  setLink,
  setsid,
  unshare,
  wait,
  write,
} from '#linux';
import { program } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { joinNamespace } from '../03-small-namespaces/join.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { bindRoot, enterRoot, makeDirectories } from '../05-root/root.ts';
import { terminal } from '../06b-terminal/terminal.ts';
import { joinGroup } from '../07-cgroups/groups.ts';
import { type Config, NAMESPACES, readBundle } from './bundle.ts';
import { groupFor } from './group.ts';
import { runHooks, runHooksInside } from './hooks.ts';
import { destroy } from './life.ts';
import { mountAll } from './mounts.ts';
import { type Box, claim, gateOf, writeBox } from './record.ts';
import { closedPaths, rights } from './rights.ts';

/** <unistd.h> */
const X_OK = 1;

export interface Request {
  root: string;
  id: string;
  /** Absolute path. */
  bundle: string;
  pidFile?: string | undefined;
  consoleSocket?: string | undefined;
}

/** @throws Mistake, SyscallError; then nothing is left of the box */
export async function create({ root, id, bundle, pidFile, consoleSocket }: Request): Promise<void> {
  const config = readBundle(bundle);
  if ((config.process.terminal ?? false) !== (consoleSocket !== undefined))
    throw new Mistake('a box with a terminal needs a --console-socket, and one without has no use for it');
  const directory = claim(root, id);
  const box: Box = { id, bundle, config, directory, creator: processIdentity(process.pid)! };
  try {
    writeBox(box);
    call(mknodat(AT.FDCWD, gateOf(box), S_IF.IFO | 0o600, 0));
    box.group = await groupFor(id, config);
    writeBox(box);
    await build(box, consoleSocket);
    if (pidFile !== undefined) writeFileSync(pidFile, `${box.process!.pid}`);
  } catch (error) {
    await destroy(box);
    // Docker and podman know these words, and exit with 127.
    if (error instanceof SyscallError && error.syscall === 'faccessat')
      throw new Mistake(`exec: "${config.process.args[0]}": executable file not found in $PATH`);
    throw error;
  }
}

async function build(box: Box, consoleSocket: string | undefined): Promise<void> {
  const { config } = box;
  const screen =
    consoleSocket === undefined
      ? undefined
      : terminal(master => sendDescriptors(consoleSocket, [master], '/dev/ptmx'));
  const ready = pipe();
  const go = pipe();
  const gate = openat(AT.FDCWD, gateOf(box), O.RDWR | O.CLOEXEC, 0);
  const hold: Item[] = [
    write(ready.writeEnd, Buffer.from('!')),
    // No byte, but the pipe's end: the creator was killed, and with it the only process that knows how to go on.
    { ...read(go.readEnd, Buffer.alloc(1)), expect: 1 },
  ];
  const { cwd, args, env = [] } = config.process;
  const environment = Object.fromEntries(env.map(line => line.split(/=(.*)/s)));
  const { made, joined } = namespacesOf(config);
  const steps: Item[] = [
    close(ready.readEnd),
    close(go.writeEnd),
    because('the gate', gate),
    ...hold,
    ...joined,
    ...joinGroup(box.group!),
    ...(made & CLONE.NEWCGROUP ? [unshare(CLONE.NEWCGROUP)] : []),
    privateMounts(),
    bindRoot(config.root.path),
    ...mountAll(config, box.bundle, box.group!),
    ...hold,
    ...enterRoot(config.root.path),
    ...(config.hostname ? [sethostname(config.hostname)] : []),
    ...(screen === undefined ? [setsid()] : [...screen.steps, ...consoleFile()]),
    ...makeDirectories('', cwd),
    chdir(cwd),
    ...findProgram(args, environment),
    ...closedPaths(config),
    ...rights(config),
    ...hold.slice(0, 1),
    because('created: the box waits for start', { ...read(resultOf(gate), Buffer.alloc(1)), expect: 1 }),
    ...program(args, environment),
  ];

  const pid = clone(made & ~CLONE.NEWCGROUP, steps);
  closeSync(ready.writeEnd);
  closeSync(go.readEnd);
  const arrived = async (): Promise<void> => {
    // It has ended before it came here: wait() tells which step failed.
    if (readSync(ready.readEnd, Buffer.alloc(1)) === 0) throw new Mistake(`it ended with ${await wait(pid)}`);
  };
  await arrived();
  box.process = processIdentity(pid)!;
  writeBox(box);
  if (made & CLONE.NEWNET) loopbackUp(pid);
  runHooks(box, 'prestart');
  runHooks(box, 'createRuntime');
  writeSync(go.writeEnd, '!');
  await arrived();
  await runHooksInside(box, 'createContainer');
  writeSync(go.writeEnd, '!');
  screen?.show(pid);
  await arrived();
}

function namespacesOf({ linux }: Config): { made: number; joined: Item[] } {
  const all = linux?.namespaces ?? [];
  return {
    made: all.filter(({ path }) => !path).reduce((flags, { type }) => flags | NAMESPACES[type]!, 0),
    joined: all.flatMap(({ type, path }) => (path ? joinNamespace(path, NAMESPACES[type]!) : [])),
  };
}

/** Later is too late: when the program is executed, whoever called `create` has gone. execvp(3) */
function findProgram([name = '']: string[], { PATH = '/bin:/usr/bin' }: NodeJS.ProcessEnv): Item[] {
  const directories = name.includes('/') ? [''] : PATH.split(':').map(each => `${each}/`);
  const tries = directories.map(each => mayFail(faccessat(AT.FDCWD, each + name, X_OK)));
  return [
    ...tries.flatMap((step): Item[] => [
      step,
      { control: 'when', result: resultOf(step), is: 'equal', value: 0, to: 'found' },
    ]),
    { control: 'fail', blame: tries },
    { control: 'label', name: 'found' },
  ];
}

/** In a new network namespace, even the loopback device is down. */
function loopbackUp(pid: number): void {
  const namespace = openNetworkNamespace({ pid });
  inNetworkNamespace(namespace, () => {
    using inside = openNetlink();
    inside.request(setLink(LOOPBACK_INDEX, { up: true }));
  });
  closeSync(namespace);
}

/** The terminal under the name that old programs write to. */
function consoleFile(): Item[] {
  const file = openat(AT.FDCWD, '/dev/console', O.CREAT | O.CLOEXEC, 0o620);
  return [
    file,
    close(resultOf(file)),
    mount({ source: '/dev/pts/0', target: '/dev/console', flags: MS.BIND }),
  ];
}
