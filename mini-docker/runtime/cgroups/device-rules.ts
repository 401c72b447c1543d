// A container's device rules in the form that both versions of cgroups need: a default and its exceptions.
import type { DeviceRule } from '../../formats/oci/runtime-spec.ts';
import { CgroupError } from './cgroup.ts';

/** The devices that may be used. A missing major or minor means all; access is a subset of 'rwm'. */
export interface DevicePolicy {
  default: 'allow' | 'deny';
  exceptions: { type: 'c' | 'b'; major?: number; minor?: number; access: string }[];
}

/**
 * Rules apply in order, and later ones win (OCI runtime specification, config-linux.md, "Allowed Device
 * list"). The kernel has no order in either version; version 1 keeps a default with exceptions, and so does
 * this.
 * @throws CgroupError when a rule removes a part of what a wider one gave, which this form cannot express
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

/** The specification writes "all" as a missing number; its Go types write -1. */
function isAll(number: number | undefined): number is undefined {
  return number === undefined || number < 0;
}

/** 'c 10:* rwm', the format of version 1's files. */
export function ruleText(rule: Devices & { access?: string }): string {
  const part = (number: number | undefined) => (isAll(number) ? '*' : String(number));
  return `${rule.type ?? 'a'} ${part(rule.major)}:${part(rule.minor)} ${rule.access ?? 'rwm'}`;
}
