// Device rules of a container, as both versions of cgroups need them: one default, and what is different from it.
import type { DeviceRule } from '../../formats/oci/runtime-spec.ts';
import { CgroupError } from './cgroup.ts';

/** Which devices may be used. A missing major or minor stands for all; access is some of 'rwm'. */
export interface DevicePolicy {
  default: 'allow' | 'deny';
  exceptions: { type: 'c' | 'b'; major?: number; minor?: number; access: string }[];
}

/**
 * Rules apply in their order, and later ones win (OCI runtime specification, config-linux.md, "Allowed Device list").
 * Neither version knows an order: version 1 keeps a default with exceptions, and so do we.
 * @throws CgroupError when a rule takes away a part of what a wider one gave, which cannot be said that way
 */
export function devicePolicy(rules: readonly DeviceRule[]): DevicePolicy {
  let policy: DevicePolicy = { default: 'deny', exceptions: [] };
  for (const rule of rules) {
    if (rule.type === undefined || rule.type === 'a') {
      policy = { default: rule.allow ? 'allow' : 'deny', exceptions: [] };
      continue;
    }
    const isException = rule.allow === (policy.default === 'deny');
    if (isException) addException(policy, rule);
    else removeException(policy, rule);
  }
  return policy;
}

function addException(policy: DevicePolicy, rule: DeviceRule): void {
  const access = rule.access ?? 'rwm';
  const same = policy.exceptions.find(exception => sameDevices(exception, rule));
  if (same) {
    same.access = [...'rwm']
      .filter(letter => same.access.includes(letter) || access.includes(letter))
      .join('');
    return;
  }
  const { type, major, minor } = rule;
  policy.exceptions.push({
    type: type === 'b' ? 'b' : 'c',
    ...(isAll(major) ? {} : { major }),
    ...(isAll(minor) ? {} : { minor }),
    access,
  });
}

function removeException(policy: DevicePolicy, rule: DeviceRule): void {
  const access = rule.access ?? 'rwm';
  for (const exception of policy.exceptions) {
    const shared = [...access].some(letter => exception.access.includes(letter));
    if (!shared || !overlap(rule, exception)) continue;
    if (!covers(rule, exception)) {
      throw new CgroupError(
        `the device rules cannot be kept: '${ruleText(rule)}' is about a part of what an earlier rule says of '${ruleText(exception)}'; leave one of them out`,
      );
    }
    exception.access = [...exception.access].filter(letter => !access.includes(letter)).join('');
  }
  policy.exceptions = policy.exceptions.filter(exception => exception.access !== '');
}

type Devices = Pick<DeviceRule, 'type' | 'major' | 'minor'>;

function covers(wide: Devices, narrow: Devices): boolean {
  if (wide.type !== narrow.type) return false;
  if (!isAll(wide.major) && wide.major !== narrow.major) return false;
  return isAll(wide.minor) || wide.minor === narrow.minor;
}

function overlap(one: Devices, other: Devices): boolean {
  const meet = (a?: number, b?: number) => isAll(a) || isAll(b) || a === b;
  return one.type === other.type && meet(one.major, other.major) && meet(one.minor, other.minor);
}

function sameDevices(one: Devices, other: Devices): boolean {
  return covers(one, other) && covers(other, one);
}

/** The specification writes "all" as a missing number, and its Go types as -1. */
function isAll(number: number | undefined): number is undefined {
  return number === undefined || number < 0;
}

/** 'c 10:* rwm', as the files of version 1 have it. */
export function ruleText(rule: Devices & { access?: string }): string {
  const part = (number: number | undefined) => (isAll(number) ? '*' : String(number));
  return `${rule.type ?? 'a'} ${part(rule.major)}:${part(rule.minor)} ${rule.access ?? 'rwm'}`;
}
