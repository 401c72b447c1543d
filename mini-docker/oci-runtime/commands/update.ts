import { readFileSync } from 'node:fs';
import { ExpectedError, FormatError } from '../../formats/errors.ts';
import { given } from '../../formats/given.ts';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { decodeSize } from '../../formats/sizes.ts';
import { readJson } from '../bundle.ts';
import { type Command, type Invocation, text, value } from '../command.ts';
import { directoryOf, readState, writeState } from '../container-state.ts';
import { runningCgroup } from '../processes.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'update container resource constraints',
  options: {
    resources: value(
      "path to the file containing the resources to update or '-' to read from the standard input",
      'r',
    ),
    'blkio-weight': value('per cgroup weight, range is from 10 to 1000'),
    'cpu-period': value('CPU CFS period to be used for hardcapping (in usecs)'),
    'cpu-quota': value('CPU CFS hardcap limit (in usecs)'),
    'cpu-share': value('CPU shares (relative weight vs. other containers)'),
    'cpu-rt-period': value('CPU realtime period to be used for hardcapping (in usecs)'),
    'cpu-rt-runtime': value('CPU realtime hardcap limit (in usecs)'),
    'cpuset-cpus': value('CPU(s) to use'),
    'cpuset-mems': value('memory node(s) to use'),
    memory: value('memory limit (in bytes)'),
    'memory-reservation': value('memory reservation or soft limit (in bytes)'),
    'memory-swap': value("total memory usage (memory + swap); '-1' is unlimited swap"),
    'pids-limit': value('maximum number of pids allowed in the container'),
    'l3-cache-schema': value('not supported'),
    'mem-bw-schema': value('not supported'),
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
  const integer = (name: string): number | undefined => {
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
    if (value === undefined || value === '' || /^-?\d+$/.test(value)) return integer(name);
    try {
      return decodeSize(value);
    } catch (error) {
      throw new ExpectedError('badParameter', `invalid value for ${name}: ${(error as Error).message}`);
    }
  };
  const pids = integer('pids-limit');
  const weight = integer('blkio-weight');
  return {
    memory: given({
      limit: bytes('memory'),
      reservation: bytes('memory-reservation'),
      swap: bytes('memory-swap'),
    }),
    cpu: given({
      shares: integer('cpu-share'),
      quota: integer('cpu-quota'),
      period: integer('cpu-period'),
      realtimePeriod: integer('cpu-rt-period'),
      realtimeRuntime: integer('cpu-rt-runtime'),
      cpus: text(invocation, 'cpuset-cpus'),
      mems: text(invocation, 'cpuset-mems'),
    }),
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
