import { expect, test } from 'vitest';
import { decodeSeccompProfile, resolveSeccompProfile } from './seccomp.ts';

const machine = { architecture: 'x64', kernel: '6.1.0-13-amd64', capabilities: ['CAP_SYS_TIME'] } as const;

function resolve(profile: object, facts: Partial<Parameters<typeof resolveSeccompProfile>[1]> = {}) {
  return resolveSeccompProfile(decodeSeccompProfile(JSON.stringify(profile))!, { ...machine, ...facts });
}

test("docker's form becomes the runtime specification's for one machine and one set of capabilities", () => {
  const rule = (name: string, more: object) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...more });
  const resolved = resolve({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 13,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
      { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: null },
    ],
    syscalls: [
      rule('always', {}),
      rule('has cap', { includes: { caps: ['CAP_SYS_TIME'] } }),
      rule('lacks cap', { includes: { caps: ['CAP_SYS_TIME', 'CAP_SYS_ADMIN'] } }),
      rule('excluded by cap', { excludes: { caps: ['CAP_SYS_ADMIN', 'CAP_SYS_TIME'] } }),
      rule('right machine', { includes: { arches: ['amd64', 'x32'] } }),
      rule('wrong machine', { includes: { arches: ['s390'] } }),
      rule('excluded machine', { excludes: { arches: ['amd64'] } }),
      rule('new enough', { includes: { minKernel: '6.1' } }),
      rule('too new', { includes: { minKernel: '6.10' } }),
      rule('too old', { excludes: { minKernel: '4.8' } }),
    ],
  });
  expect(resolved.architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  expect(resolved.defaultErrnoRet).toBe(13);
  expect(resolved.syscalls.flatMap(({ names }) => names)).toEqual([
    'always',
    'has cap',
    'right machine',
    'new enough',
  ]);
});

test("the runtime specification's form stays as it is", () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    syscalls: [
      {
        names: ['chmod'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 1,
        args: [{ index: 1, value: 7, op: 'SCMP_CMP_EQ' }],
      },
    ],
  };
  expect(resolve(profile)).toEqual(profile);
});

test("a rule for one call, as old files have it, is read, and Go's nulls are absent fields", () => {
  const old = { name: 'read', action: 'SCMP_ACT_ALLOW', args: null, includes: {}, excludes: null };
  expect(resolve({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [old] }).syscalls).toEqual([
    { names: ['read'], action: 'SCMP_ACT_ALLOW' },
  ]);
  expect(decodeSeccompProfile('{}')).toBeUndefined();
});

test('64-bit values keep all their digits', () => {
  const text = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ERRNO",
    "args": [{"index": 0, "value": 18446744073709551615, "valueTwo": 40, "op": "SCMP_CMP_MASKED_EQ"}]}]}`;
  const { args } = decodeSeccompProfile(text)!.syscalls[0]!;
  expect(args).toEqual([{ index: 0, value: '18446744073709551615', valueTwo: 40, op: 'SCMP_CMP_MASKED_EQ' }]);
});

test.each([
  ['not JSON', /seccomp profile is not JSON/],
  ['[]', /seccomp profile must be an object/],
  ['{"defaultAction": "SCMP_ACT_MAYBE"}', /defaultAction: unknown "SCMP_ACT_MAYBE"/],
  [
    '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": "read"}]}',
    /syscalls\[0\].names must be a list/,
  ],
  [
    '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["A"], "archMap": [{"architecture": "A"}]}',
    /both 'architectures' and 'archMap'/,
  ],
  [
    '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_NOTIFY"}]}',
    /SCMP_ACT_NOTIFY is not supported/,
  ],
  [
    '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}',
    /syscalls\[0\].args\[0\].index/,
  ],
  ['{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5000}', /defaultErrnoRet must be an errno/],
  ['{"defaultAction": "SCMP_ACT_ERRNO", "flags": ["FAST"]}', /flags\[0\]: unknown "FAST"/],
])('%s is refused by the name of what is wrong', (text, message) => {
  expect(() => decodeSeccompProfile(text)).toThrow(message);
});
