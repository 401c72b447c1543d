// What chapter 19 adds to every box, and to the options of `run`. To import this file is to add it.
import { writeFileSync } from 'node:fs';
import { Mistake } from '../04-mounts/mistake.ts';
import { added } from '../12-stay/container.ts';
import { addedOptions, checkName, type HealthCheck, type Spec } from '../12-stay/spec.ts';
import { milliseconds, watchHealth } from './health.ts';
import { serveNames } from './name-server.ts';
import { findNetwork, prepare } from './networks.ts';

/** As in Docker. */
const USUAL: HealthCheck = { command: [], interval: 30_000, timeout: 30_000, retries: 3 };

addedOptions['--alias'] = (spec, next) => {
  spec.aliases = [...(spec.aliases ?? []), checkName(next()).toLowerCase()];
};
addedOptions['--health-cmd'] = (spec, next) => change(spec, { command: ['sh', '-c', next()] });
addedOptions['--health-interval'] = (spec, next) => change(spec, { interval: duration(next()) });
addedOptions['--health-timeout'] = (spec, next) => change(spec, { timeout: duration(next()) });
addedOptions['--health-retries'] = (spec, next) => {
  const retries = Number(next());
  if (!(retries >= 1)) throw new Mistake('--health-retries takes a number from 1 on');
  change(spec, { retries });
};

function change(spec: Spec, part: Partial<HealthCheck>): void {
  spec.health = { ...USUAL, ...spec.health, ...part };
}

function duration(text: string): number {
  const found = milliseconds(text);
  if (found === undefined) throw new Mistake(`a duration is a number and ms, s or m, as in 30s: not ${text}`);
  return found;
}

added.network = ({ net }) => {
  const network = findNetwork(net);
  return network && prepare(network);
};

/** Where programs in the box look for their name server. A box of no named network has none, as before. */
added.volumes = ({ net }) => {
  if (findNetwork(net) === undefined) return [];
  const source = '/tmp/box/resolv.conf';
  writeFileSync(source, 'nameserver 127.0.0.11\n');
  return [{ source, target: '/etc/resolv.conf', readonly: true }];
};

added.serve = async (spec, pid, ended) => {
  if (findNetwork(spec.net) !== undefined) await serveNames(pid, spec.net, ended);
  if (spec.health !== undefined) watchHealth(spec, spec.health, { pid, ended });
};
