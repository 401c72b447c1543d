import { expect, test } from 'vitest';
import type { DeviceRule } from '../../formats/oci/runtime-spec.ts';
import { devicePolicy, ruleText } from './device-rules.ts';

const texts = (rules: DeviceRule[]) => {
  const policy = devicePolicy(rules);
  return [policy.default, ...policy.exceptions.map(ruleText)];
};

test('without rules nothing is allowed', () => {
  expect(texts([])).toEqual(['deny']);
});

test('a later rule for everything replaces all earlier ones', () => {
  expect(texts([{ allow: true, type: 'c', major: 1, minor: 3 }, { allow: true }])).toEqual(['allow']);
  expect(texts([{ allow: true }, { allow: false, type: 'a' }])).toEqual(['deny']);
});

test('rules for the same device are one', () => {
  const device = { type: 'c', major: 1, minor: 3 } as const;
  const rules = [
    { allow: true, ...device, access: 'm' },
    { allow: true, ...device, access: 'r' },
  ];
  expect(texts(rules)).toEqual(['deny', 'c 1:3 rm']);
});

test('a rule revokes narrower rules before it', () => {
  const rules: DeviceRule[] = [
    { allow: true, type: 'c', major: 1, minor: 3 },
    { allow: true, type: 'c', major: 5, minor: 1 },
    { allow: false, type: 'c', major: 1 },
  ];
  expect(texts(rules)).toEqual(['deny', 'c 5:1 rwm']);
});

test('access is taken back letter by letter', () => {
  const rules: DeviceRule[] = [
    { allow: true, type: 'b', major: 8, minor: 0 },
    { allow: false, type: 'b', major: 8, minor: 0, access: 'w' },
  ];
  expect(texts(rules)).toEqual(['deny', 'b 8:0 rm']);
});

test('exceptions to a default of allow are denials', () => {
  expect(texts([{ allow: true }, { allow: false, type: 'b', major: 8 }])).toEqual(['allow', 'b 8:* rwm']);
});

test("a numberless rule of the specification's Go types, -1, is a rule for all", () => {
  expect(texts([{ allow: true, type: 'c', major: 136, minor: -1 }])).toEqual(['deny', 'c 136:* rwm']);
});

test.each<[string, DeviceRule]>([
  ['a part of it', { allow: false, type: 'c', major: 1, minor: 3 }],
  ['a part of it, across', { allow: false, type: 'c', minor: 3 }],
])('taking back %s from a wider rule is an error, since no cgroup can keep it', (_, narrower) => {
  const rules: DeviceRule[] = [{ allow: true, type: 'c', major: 1 }, narrower];
  expect(() => devicePolicy(rules)).toThrow(/a part of what an earlier rule says of 'c 1:\* rwm'/);
});
