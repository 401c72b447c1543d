import { readFileSync } from 'node:fs';
import { ExpectedError, FormatError } from '../../formats/errors.ts';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { decodeSize } from '../../formats/sizes.ts';
import { readJson } from '../bundle.ts';
import { type Command, type Invocation, text } from '../command.ts';
import { directoryOf, readState, writeState } from '../container-state.ts';
import { runningCgroup } from '../processes.ts';

const number = (help: string) => ({ type: 'string', value: 'value', help }) as const;

export const command: Command = {
  args: '<container-id>',
  summary: 'update container resource constraints',
  count: [1, 1],
  options: {
    resources: {
      type: 'string',
      short: 'r',
      value: 'value',
      help: "path to the file containing the resources to update or '-' to read from the standard input",
    },
    'blkio-weight': number('per cgroup weight, range is from 10 to 1000'),
    'cpu-period': number('CPU CFS period to be used for hardcapping (in usecs)'),
    'cpu-quota': number('CPU CFS hardcap limit (in usecs)'),
    'cpu-share': number('CPU shares (relative weight vs. other containers)'),
    'cpu-rt-period': number('CPU realtime period to be used for hardcapping (in usecs)'),
    'cpu-rt-runtime': number('CPU realtime hardcap limit (in usecs)'),
    'cpuset-cpus': number('CPU(s) to use'),
    'cpuset-mems': number('memory node(s) to use'),
    memory: number('memory limit (in bytes)'),
    'memory-reservation': number('memory reservation or soft limit (in bytes)'),
    'memory-swap': number("total memory usage (memory + swap); '-1' is unlimited swap"),
    'pids-limit': number('maximum number of pids allowed in the container'),
    'l3-cache-schema': number('not supported'),
    'mem-bw-schema': number('not supported'),
  },
  run(invocation) {
    const { root } = invocation.globals;
    const state = readState(root, invocation.args[0]!);
    const cgroup = runningCgroup(state);
    const resources = requested(invocation);
    cgroup.update(resources);
    const { linux } = state.spec;
    const merged: Resources = {
      ...linux.resources,
      ...resources,
      memory: { ...linux.resources?.memory, ...resources.memory },
      cpu: { ...linux.resources?.cpu, ...resources.cpu },
    };
    writeState(directoryOf(root, state.id), {
      ...state,
      spec: { ...state.spec, linux: { ...linux, resources: merged } },
    });
    return 0;
  },
};

function requested(invocation: Invocation): Resources {
  const file = text(invocation, 'resources');
  if (file !== undefined) {
    const raw = file === '-' ? fromStandardInput() : readJson(file);
    if (typeof raw !== 'object' || raw === null) throw new FormatError(`${file}: not an object of resources`);
    return raw as Resources;
  }
  for (const name of ['l3-cache-schema', 'mem-bw-schema']) {
    if (text(invocation, name) !== undefined)
      throw new ExpectedError('notImplemented', `--${name}: this runtime does not set Intel RDT`);
  }
  const given = (name: string): number | undefined => {
    const value = text(invocation, name);
    if (value === undefined || value === '') return undefined;
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      throw new ExpectedError('badParameter', `invalid value for ${name}: ${value}`);
    return number;
  };
  /** Bytes, or -1 for no limit; also '64M'. */
  const bytes = (name: string): number | undefined => {
    const value = text(invocation, name);
    if (value === undefined || value === '' || /^-?\d+$/.test(value)) return given(name);
    try {
      return decodeSize(value);
    } catch (error) {
      throw new ExpectedError('badParameter', `invalid value for ${name}: ${(error as Error).message}`);
    }
  };
  const present = <T extends object>(fields: T): T =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
  const pids = given('pids-limit');
  const weight = given('blkio-weight');
  return {
    memory: present({
      limit: bytes('memory'),
      reservation: bytes('memory-reservation'),
      swap: bytes('memory-swap'),
    }) as NonNullable<Resources['memory']>,
    cpu: present({
      shares: given('cpu-share'),
      quota: given('cpu-quota'),
      period: given('cpu-period'),
      realtimePeriod: given('cpu-rt-period'),
      realtimeRuntime: given('cpu-rt-runtime'),
      cpus: text(invocation, 'cpuset-cpus'),
      mems: text(invocation, 'cpuset-mems'),
    }) as NonNullable<Resources['cpu']>,
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
    ...(weight === undefined ? {} : { blockIO: { weight } }),
  };
}

function fromStandardInput(): unknown {
  try {
    return JSON.parse(readFileSync(0, 'utf8'));
  } catch (error) {
    throw new FormatError(`cannot read the resources from the standard input: ${(error as Error).message}`);
  }
}
