// Runs a box, from its specification to its exit code. The code was in chapter 11's box.ts; now other modules call it.
import { writeSync } from 'node:fs';
import {
  because,
  CLONE,
  call,
  chdir,
  clone,
  close,
  type Item,
  kill,
  mayFail,
  pipe,
  read,
  SIG,
  sethostname,
  unshare,
} from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { joinNamespace } from '../03-small-namespaces/join.ts';
import type { Volume } from '../04-mounts/volumes.ts';
import { enterRoot, makeDirectories, systemDirectories, volumeInRoot } from '../05-root/root.ts';
import { becomeInit } from '../06-pid-1/init.ts';
import type { Terminal } from '../06b-terminal/terminal.ts';
import { type Group, joinGroup, makeGroup, removeGroup } from '../07-cgroups/groups.ts';
import { layersOf, mountLayers } from '../08-layers/layers.ts';
import type { Image } from '../09-images/store.ts';
import { layerDirectories } from '../09-images/unpack.ts';
import { type Connection, connect, disconnect, type Network } from '../10-network/network.ts';
import type { Spec } from './spec.ts';
import { type Held, runningBox } from './state.ts';

/** What chapters 16, 19 and 20 add to every box, or do in another way. */
export const added = {
  /** Sets rules for the box's group, before the box is in it. */
  toGroup: async (_group: Group, _spec: Spec): Promise<void> => {},
  /** Steps between the box's root and its program. */
  beforeProgram: (_spec: Spec): Item[] => [],
  /** The network that `--net` names; undefined if it names none. */
  network: (_spec: Spec): Network | undefined => undefined,
  volumes: (_spec: Spec): Volume[] => [],
  /** Lays the cable to a box that has a network of its own. */
  connect: (pid: number, spec: Spec, network?: Network): Connection => connect(pid, spec.published, network),
  /** Serves a box from outside, from before its program starts until `ended`. */
  serve: async (_spec: Spec, _pid: number, _ended: AbortSignal): Promise<void> => {},
};

export function giveBack({ group, connection }: Held): void {
  if (connection !== undefined) disconnect(connection);
  removeGroup(group);
}

/**
 * @param screen what the box has as its input and output, if that is not ours
 * @param started called once process 1 exists. @returns the exit code, once the box has ended
 */
export async function runContainer(
  spec: Spec,
  image: Image,
  { screen, started }: { screen?: Terminal | undefined; started?: (pid: number, held: Held) => void } = {},
): Promise<number> {
  const { Cmd = ['sh'], Env = [], WorkingDir = '/' } = image.config.config;
  const command = spec.command.length > 0 ? spec.command : Cmd;
  const lines = [...Env, ...(spec.environment ?? [])];
  const environment = Object.fromEntries(lines.map(line => line.split(/=(.*)/s)));
  const network = added.network(spec);
  const isAlone = spec.net === 'box' || spec.net === 'none' || network !== undefined;
  const shared = isAlone || spec.net === 'host' ? undefined : runningBox(spec.net);

  const layers = layersOf(spec.name, layerDirectories(image));
  const root = layers.merged;
  const group = makeGroup(spec.name, spec.limits);
  await added.toGroup(group, spec).catch(error => {
    removeGroup(group);
    throw error;
  });
  const connected = pipe();
  const flags = CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | (isAlone ? CLONE.NEWNET : 0);
  const steps: Item[] = [
    // Closes our copy of the writing end: while it is open, we would not notice that the parent has ended.
    close(connected.writeEnd),
    because('the cable is laid from outside', read(connected.readEnd, Buffer.alloc(1))),
    ...(shared === undefined ? [] : joinNamespace(`/proc/${shared}/ns/net`, CLONE.NEWNET)),
    ...joinGroup(group),
    unshare(CLONE.NEWCGROUP),
    privateMounts(),
    mountLayers(layers),
    ...systemDirectories(root),
    ...[...spec.volumes, ...added.volumes(spec)].flatMap(volume => volumeInRoot(root, volume)),
    ...enterRoot(root),
    sethostname(spec.hostname),
    ...makeDirectories('', WorkingDir),
    chdir(WorkingDir),
    ...(screen?.steps ?? []),
    ...added.beforeProgram(spec),
    ...(spec.init ? [becomeInit(command, environment)] : program(command, environment)),
  ];

  const pid = clone(flags, steps);
  const held: Held = { group };
  const ended = new AbortController();
  try {
    if (spec.net === 'box' || network) held.connection = added.connect(pid, spec, network);
    await added.serve(spec, pid, ended.signal);
  } catch (error) {
    // Otherwise it would run on, unconnected, as soon as our end of the pipe is closed.
    call(mayFail(kill(pid, SIG.KILL), 'ESRCH'));
    await statusOf(pid);
    giveBack(held);
    throw error;
  }
  started?.(pid, held);
  writeSync(connected.writeEnd, '!');
  const passOn = (): void => void call(mayFail(kill(pid, SIG.TERM)));
  process.on('SIGTERM', passOn);
  screen?.show(pid);
  const exitCode = await statusOf(pid);
  process.off('SIGTERM', passOn);
  ended.abort();
  giveBack(held);
  return exitCode;
}
