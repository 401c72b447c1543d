// Makes a project what its file says, and takes it down. The engine: mini-docker/cli/compose/converge.ts and up-command.ts
import { setTimeout as sleep } from 'node:timers/promises';
import { Mistake } from '../04-mounts/mistake.ts';
import { tags } from '../09-images/store.ts';
import { remove, startKeeper, stop } from '../12-stay/keeper.ts';
import type { Spec } from '../12-stay/spec.ts';
import { allStates, createState, isRunning, readState } from '../12-stay/state.ts';
import type { Condition, Project } from './compose.ts';
import { readHealth } from './health.ts';
import { createNetwork, findNetwork, removeNetwork } from './networks.ts';

const GRACE = 10;

export async function up({ name, services }: Project): Promise<void> {
  if (findNetwork(name) === undefined) createNetwork(name);
  for (const [service, { spec, dependsOn }] of services) {
    for (const [other, condition] of dependsOn) await waitUntil(condition, `${name}-${other}`);
    console.log(`${service} ${await converge(spec)}`);
  }
}

/** Leaves a box alone that is as it ought to be, and replaces one that is not. @returns what was done */
async function converge(spec: Spec): Promise<string> {
  const image = tags().get(spec.image);
  if (image === undefined) throw new Mistake(`${spec.name}: there is no image ${spec.image}`);
  const before = allStates().find(state => state.spec.name === spec.name);
  const isSame = JSON.stringify([before?.spec, before?.image]) === JSON.stringify([spec, image]);
  if (isSame && isRunning(before!)) return 'unchanged';
  if (before !== undefined && !isSame) await takeAway(spec.name);
  if (!isSame) createState(spec, image);
  await startKeeper(spec.name);
  return isSame ? 'started' : before === undefined ? 'created' : 'recreated';
}

async function takeAway(name: string): Promise<void> {
  if (isRunning(readState(name))) await stop(name, GRACE);
  remove(name);
}

/** @throws Mistake if the condition can no longer become true */
async function waitUntil(condition: Condition, name: string): Promise<void> {
  // A service is started in its turn: no more is to be waited for.
  if (condition === 'service_started') return;
  for (; ; await sleep(50)) {
    const state = readState(name);
    if (condition === 'service_healthy') {
      if (state.spec.health === undefined) throw new Mistake(`${name} has no health check`);
      const { status } = readHealth(name);
      if (status === 'healthy' && isRunning(state)) return;
      if (status === 'unhealthy') throw new Mistake(`${name} is unhealthy`);
      if (!isRunning(state)) throw new Mistake(`${name} has ended before it was healthy`);
    } else if (!isRunning(state)) {
      if (state.exitCode === 0) return;
      throw new Mistake(`${name} was to succeed, and has ended with ${state.exitCode ?? 'an unknown code'}`);
    }
  }
}

/** In the opposite order: what others depend on ends last. Also boxes that are not in the file any more. */
export async function down({ name, services }: Project): Promise<void> {
  const order = [...services.values()].map(({ spec }) => spec.name);
  const boxes = allStates().filter(({ spec }) => spec.net === name);
  const place = (box: string): number => order.indexOf(box);
  for (const { spec } of boxes.sort((a, b) => place(b.spec.name) - place(a.spec.name))) {
    await takeAway(spec.name);
    console.log(`${spec.name} removed`);
  }
  if (findNetwork(name) !== undefined) removeNetwork(name);
}
