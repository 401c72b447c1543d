import { expect, test } from 'vitest';
import type { Seccomp } from '../../formats/oci/runtime-spec.ts';
import { resolveSeccompProfile } from '../../formats/seccomp.ts';
import type { Architecture } from '../../linux/step.ts';
import { argumentLists, namesOf, randomProfile, read, verdict } from '../testing/profiles.ts';
import { decodeInstructions, interpret } from './bpf.ts';
import { AUDIT_ARCH, seccompFilter } from './compile.ts';
import { DEFAULT_PROFILE } from './default-profile.ts';
import { type Abi, syscallNumbers } from './syscall-numbers.ts';

const ALLOWED = verdict('SCMP_ACT_ALLOW');
const REFUSED = verdict('SCMP_ACT_ERRNO');
const MISSING = verdict('SCMP_ACT_ERRNO', 38);

function judge(profile: Seccomp, machine: Architecture) {
  const program = decodeInstructions(seccompFilter(profile, machine));
  return (abi: Abi, call: string | number, ...args: bigint[]): number => {
    const nr = typeof call === 'number' ? call : syscallNumbers(abi).get(call)!;
    return interpret(program, { arch: AUDIT_ARCH[abi], nr, args }).verdict;
  };
}

function defaultFor(machine: Architecture, ...capabilities: string[]): Seccomp {
  return resolveSeccompProfile(DEFAULT_PROFILE, { architecture: machine, kernel: '6.1.0', capabilities });
}

test('a filter says what its profile says, of every call and all its arguments', () => {
  const names = namesOf('x64');
  for (let seed = 1; seed <= 25; seed++) {
    const profile = randomProfile(seed, names);
    const decide = judge(profile, 'x64');
    const lists = argumentLists(profile);
    for (const name of profile.syscalls.flatMap(({ names }) => names)) {
      const wrong = lists.filter(args => decide('x64', name, ...args) !== read(profile, 'x64', name, args));
      expect(wrong, `seed ${seed}: ${name}`).toEqual([]);
    }
  }
});

test.each([
  ['x64', ['x64', 'x86', 'x32']],
  ['arm64', ['arm64', 'arm']],
] as const)('newer calls than the profile knows do not exist, others are refused: %s', (machine, abis) => {
  const decide = judge(defaultFor(machine), machine);
  for (const abi of abis) {
    // x32 goes on behind 512 with calls of its own.
    const highest = syscallNumbers(abi).get(abi === 'x32' ? 'pwritev2' : 'removexattrat')!;
    for (const nr of [highest + 1, highest + 100]) expect(decide(abi, nr), `${abi} ${nr}`).toBe(MISSING);
    expect(decide(abi, 'keyctl'), abi).toBe(REFUSED);
    expect(decide(abi, 'read'), abi).toBe(ALLOWED);
  }
});

test('a call of an ABI that the profile does not name ends the program', () => {
  const profile: Seccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
  };
  const decide = judge(profile, 'x64');
  expect(decide('x64', 'read')).toBe(ALLOWED);
  for (const abi of ['x86', 'x32', 'arm'] as const) expect(decide(abi, 'read'), abi).toBe(0);
  // The number that a tracer sets to skip a call is not a call of another ABI.
  expect(decide('x64', 0xffff_ffff)).toBe(MISSING);
});

test('no sockets past the network, however the family is written', () => {
  for (const machine of ['x64', 'arm64'] as const) {
    const decide = judge(defaultFor(machine), machine);
    for (const family of [1n, 2n, 10n, 16n, 17n, 29n, 39n, 41n, 45n]) {
      expect(decide(machine, 'socket', family), `AF ${family}`).toBe(ALLOWED);
    }
    // The kernel does not look at the upper half.
    for (const family of [
      12n,
      19n,
      20n,
      23n,
      25n,
      34n,
      37n,
      38n,
      40n,
      46n,
      40n + (1n << 32n),
      38n + (1n << 63n),
    ]) {
      expect(decide(machine, 'socket', family), `AF ${family}`).toBe(REFUSED);
    }
  }
});

test('no namespaces without CAP_SYS_ADMIN, and clone3 is as if it were not there', () => {
  const newUser = 0x1000_0000n;
  const without = judge(defaultFor('x64'), 'x64');
  expect(without('x64', 'clone', 17n)).toBe(ALLOWED);
  expect(without('x64', 'clone', newUser | 17n)).toBe(REFUSED);
  expect(without('x64', 'unshare', newUser)).toBe(REFUSED);
  expect(without('x64', 'clone3')).toBe(MISSING);
  const having = judge(defaultFor('x64', 'CAP_SYS_ADMIN'), 'x64');
  expect(having('x64', 'clone', newUser | 17n)).toBe(ALLOWED);
  expect(having('x64', 'clone3')).toBe(ALLOWED);
});

test('a 32-bit filter treats values behind pointers as violations', () => {
  const socket = (action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO') => ({
    names: ['socket'],
    action,
    args: [{ index: 0, op: 'SCMP_CMP_EQ' as const, value: 2 }],
  });
  const architectures = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'];
  const allowing = judge(
    { defaultAction: 'SCMP_ACT_ERRNO', architectures, syscalls: [socket('SCMP_ACT_ALLOW')] },
    'x64',
  );
  expect(allowing('x86', 'socketcall', 1n)).toBe(REFUSED);
  const refusing = judge(
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures,
      syscalls: [{ ...socket('SCMP_ACT_ERRNO'), errnoRet: 13 }],
    },
    'x64',
  );
  expect(refusing('x86', 'socketcall', 1n)).toBe(verdict('SCMP_ACT_ERRNO', 13));
  expect(refusing('x86', 'socketcall', 2n)).toBe(ALLOWED);
});

test('a profile that is too long, or for a machine that does not exist, is refused', () => {
  const many = Array.from({ length: 3000 }, (_, value) => ({
    names: ['socket'],
    action: 'SCMP_ACT_ALLOW' as const,
    args: [{ index: 0, op: 'SCMP_CMP_EQ' as const, value: 2 * value }],
  }));
  expect(() => seccompFilter({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: many }, 'x64')).toThrow(
    /\d+ instructions, and the kernel takes 4096/,
  );
  const profile: Seccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_PDP11'],
    syscalls: [],
  };
  expect(() => seccompFilter(profile, 'x64')).toThrow(/SCMP_ARCH_PDP11/);
});
