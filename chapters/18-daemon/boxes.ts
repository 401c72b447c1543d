// The boxes as the daemon knows them: found on disk each time, so that nothing is lost with the daemon.
// The engine: mini-docker/engine/state/, and mini-docker/engine/life/wait.ts
import { EventEmitter } from 'node:events';
import { Mistake } from '../04-mounts/mistake.ts';
import { tags } from '../09-images/store.ts';
import { allStates, createState, isRunning, type State } from '../12-stay/state.ts';
import {
  type CreateRequest,
  imageName,
  newWanted,
  readWanted,
  specOf,
  type Wanted,
  writeWanted,
} from './wanted.ts';

export interface Box {
  name: string;
  state: State;
  wanted: Wanted;
}

/** A request that is refused, with its HTTP status. */
export class Refusal extends Mistake {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface BoxEvent {
  /** create, start, die, stop or destroy. */
  action: string;
  box: Box;
  /** Milliseconds since 1970. */
  time: number;
}

export const events = new EventEmitter<{ event: [BoxEvent] }>().setMaxListeners(0);

export function announce(action: string, box: Box): void {
  events.emit('event', { action, box, time: Date.now() });
}

export function allBoxes(): Box[] {
  return allStates().map(state => ({ name: state.spec.name, state, wanted: readWanted(state.spec.name) }));
}

/** @param text its name, or the beginning of its id. @throws Refusal */
export function findBox(text: string): Box {
  const all = allBoxes();
  const found = all.find(({ name, wanted }) => name === text || wanted.id === text);
  const similar = all.filter(({ wanted }) => text !== '' && wanted.id.startsWith(text));
  if (found === undefined && similar.length !== 1) throw new Refusal(404, `No such container: ${text}`);
  return found ?? similar[0]!;
}

export function create(asked: string, request: CreateRequest): Wanted {
  const wanted = newWanted(request);
  const name = asked || `box-${wanted.id.slice(0, 12)}`;
  // The keeper's socket lies below it, and the path of a socket has at most 107 bytes. unix(7)
  if (name.length > 64) throw new Refusal(400, 'a name has at most 64 characters');
  const manifest = tags().get(imageName(request.Image));
  if (manifest === undefined) throw new Refusal(404, `No such image: ${request.Image}`);
  if (allBoxes().some(box => box.name === name))
    throw new Refusal(409, `Conflict. The container name "/${name}" is already in use.`);
  createState(specOf(name, wanted), manifest);
  writeWanted(name, wanted);
  announce('create', findBox(name));
  return wanted;
}

/** Boxes that will be started again when their time has come. */
export const planned = new Map<string, NodeJS.Timeout>();

/** Boxes that run, each with a promise that resolves when the daemon has handled its end. */
export const watched = new Map<string, Promise<void>>();

export function statusOf({ name, state }: Box): 'created' | 'running' | 'restarting' | 'exited' {
  if (planned.has(name)) return 'restarting';
  if (isRunning(state)) return 'running';
  return state.exitCode === undefined && state.keeper === undefined ? 'created' : 'exited';
}

/**
 * Resolves when a box has ended: at once if it is not running, unless its next exit or its removal is meant.
 * @returns its exit code; undefined if no process saw how it ended
 */
export async function wait(
  box: Box,
  until = 'not-running',
  signal?: AbortSignal,
): Promise<number | undefined> {
  let exitCode = box.state.exitCode;
  const isDown = !watched.has(box.name) && !planned.has(box.name);
  // An exit is an event, and passes. The exit code is on disk.
  if (until === 'not-running' && isDown) return exitCode;
  return new Promise(resolve => {
    const stopListening = (): void => void events.off('event', listen);
    const listen = ({ action, box: of }: BoxEvent): void => {
      if (of.wanted.id !== box.wanted.id) return;
      if (action === 'die') exitCode = of.state.exitCode;
      const over = { 'next-exit': action === 'die', removed: action === 'destroy' }[until];
      const down = (action === 'die' || action === 'stop') && !planned.has(box.name);
      if (!(over ?? down)) return;
      stopListening();
      resolve(exitCode);
    };
    events.on('event', listen);
    signal?.addEventListener('abort', stopListening);
  });
}
