// Describes the daemon's work on control groups for a start, for people. Nothing is made.
import { join } from 'node:path';
import type { ExplainedStep } from '../../formats/explanation.ts';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import type { GroupOptions } from './cgroup.ts';
import { readHierarchies } from './hierarchies.ts';
import type { Limit } from './limits.ts';
import { refuseLimits } from './none.ts';
import { placesOf } from './v1.ts';
import { applyLimitsV1 } from './v1-limits.ts';
import { applyLimitsV2 } from './v2-limits.ts';

/** @throws CgroupError when a start would fail */
export function explainLimits({
  resources,
  ...options
}: GroupOptions & { resources: Resources }): ExplainedStep[] {
  const { path } = options;
  const hierarchies = readHierarchies();
  if (hierarchies.version === 'none') {
    refuseLimits(hierarchies, resources);
    return [];
  }
  const limits: Limit[] = [];
  const note = (limit: Limit): void => void limits.push(limit);
  if (hierarchies.version === 2) {
    const { mountPoint } = hierarchies;
    applyLimitsV2(mountPoint, resources, note);
    const devices = resources.devices
      ? [
          step(
            'bpf(BPF_PROG_ATTACH, BPF_CGROUP_DEVICE)',
            'the device rules, as a program that the kernel asks',
          ),
        ]
      : [];
    return [
      make(join(mountPoint, path)),
      ...limits.map(limit => write(join(mountPoint, path), limit)),
      ...devices,
    ];
  }
  const directoryOf = (controller: string): string | undefined =>
    hierarchies.hierarchies.find(({ controllers }) => controllers.includes(controller))?.mountPoint;
  applyLimitsV1(directoryOf, resources, note);
  return [
    ...placesOf(hierarchies.hierarchies, options).map(({ directory, isShared }) =>
      make(directory, isShared ? 'made once: containers without processors of their own share it' : ''),
    ),
    ...limits.map(limit => write(join(directoryOf(limit.controller) ?? '', path), limit)),
  ];
}

function make(directory: string, reason = ''): ExplainedStep {
  return step(`mkdir(${JSON.stringify(directory)}, 0755)`, reason);
}

function write(directory: string, { file, value, option }: Limit): ExplainedStep {
  const text = String(value).split('\n').join(', ');
  return step(`write(${JSON.stringify(`${directory}/${file}`)}, ${JSON.stringify(text)})`, option);
}

function step(call: string, reason: string): ExplainedStep {
  return {
    group: 'limits',
    purpose: 'what the container may use: the daemon makes its control groups and writes the limits',
    call,
    reason,
    by: 'daemon',
  };
}
