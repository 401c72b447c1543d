import { expect, test } from 'vitest';
import { CAP } from '../../linux/constants.ts';
import { containerCapabilities } from './capabilities.ts';

const everything = new Set(Object.keys(CAP).map(name => `CAP_${name}`));
const kept = (options: { add?: string[]; drop?: string[]; privileged?: boolean; available?: Set<string> }) =>
  containerCapabilities({ add: [], drop: [], privileged: false, available: everything, ...options });

test("the default is docker's fourteen", () => {
  expect(kept({})).toHaveLength(14);
  expect(kept({})).toContain('CAP_NET_RAW');
  expect(kept({})).not.toContain('CAP_SYS_ADMIN');
});

test('single ones are added and dropped, with or without their prefix', () => {
  expect(kept({ add: ['sys_admin'], drop: ['CAP_NET_RAW'] })).toContain('CAP_SYS_ADMIN');
  expect(kept({ add: ['sys_admin'], drop: ['CAP_NET_RAW'] })).not.toContain('CAP_NET_RAW');
});

test('ALL makes the other list one of exceptions', () => {
  expect(kept({ drop: ['ALL'], add: ['KILL'] })).toEqual(['CAP_KILL']);
  expect(kept({ add: ['ALL'], drop: ['SYS_ADMIN'] })).toHaveLength(everything.size - 1);
  expect(kept({ drop: ['all'] })).toEqual([]);
  expect(kept({ add: ['KILL'], drop: ['KILL'] })).toContain('CAP_KILL');
  expect(kept({ add: ['ALL', 'KILL'], drop: ['KILL'] })).not.toContain('CAP_KILL');
});

test('what the daemon does not have cannot be given', () => {
  const available = new Set([...everything].filter(name => name !== 'CAP_SYS_RESOURCE'));
  expect(kept({ privileged: true, available })).toHaveLength(everything.size - 1);
  expect(kept({ add: ['ALL'], available })).toHaveLength(everything.size - 1);
  expect(() => kept({ add: ['SYS_RESOURCE'], available })).toThrow('the daemon itself does not have it');
});

test('an unknown name is refused', () => {
  expect(() => kept({ add: ['NOPE'] })).toThrow('unknown capability: "CAP_NOPE"');
  expect(() => kept({ drop: [''] })).toThrow('unknown capability');
});
