// Random profiles for tests, the calls where their verdicts could change, and a reference interpreter that
// reads a profile rule by rule.
import type {
  Seccomp,
  SeccompAction,
  SeccompCondition,
  SeccompOperator,
} from '../../formats/oci/runtime-spec.ts';
import { VERDICT } from '../seccomp/compile.ts';
import { type Abi, syscallNumbers } from '../seccomp/syscall-numbers.ts';

/** A reproducible sequence for each seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / (1 << 24);
  };
}

const RANGES: SeccompOperator[] = ['SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_GE', 'SCMP_CMP_GT'];
const OPERATORS: SeccompOperator[] = [...RANGES, 'SCMP_CMP_NE', 'SCMP_CMP_EQ', 'SCMP_CMP_MASKED_EQ'];
const ACTIONS: SeccompAction[] = [
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRACE',
];
const VALUES = [
  1,
  40,
  0x7e02_0000,
  0xffff_ffff,
  0x1_0000_0000,
  '18446744073709551615',
  '18446744069414584320',
];

/**
 * Random rules for some of the named calls. A call has one action, since engines differ in the order of
 * overlapping ones.
 */
export function randomProfile(seed: number, names: readonly string[]): Seccomp {
  const random = randomNumbers(seed);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const condition = (): SeccompCondition => ({
    index: Math.floor(random() * 6),
    op: pick(OPERATORS),
    value: pick(VALUES),
    valueTwo: pick(VALUES),
  });
  const conditions = (): SeccompCondition[] =>
    random() < 0.3 ? Array.from({ length: 1 + Math.floor(random() * 2) }, condition) : [];
  return {
    defaultAction: pick(['SCMP_ACT_ERRNO', 'SCMP_ACT_ALLOW', 'SCMP_ACT_KILL_PROCESS']),
    architectures: pick([[], ['SCMP_ARCH_X86'], ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']]),
    syscalls: names
      .filter(() => random() < 0.4)
      .map(name => ({
        names: [name],
        action: pick(ACTIONS),
        errnoRet: pick([1, 13, 38]),
        args: conditions(),
      })),
  };
}

/** Whether two conditions limit the same argument. */
export function hasTwoRanges(args: readonly SeccompCondition[]): boolean {
  const ranges = args.filter(({ op }) => RANGES.includes(op)).map(({ index }) => index);
  return new Set(ranges).size < ranges.length;
}

/** Arguments on both sides of every value that the profile compares. */
export function argumentLists(profile: Seccomp): bigint[][] {
  const named = profile.syscalls
    .flatMap(({ args = [] }) => args)
    .flatMap(({ value, valueTwo = 0 }) => [BigInt(value), BigInt(valueTwo), ~BigInt(value)]);
  const near = [0n, 1n, 2n, ...named].flatMap(value => [
    value - 1n,
    value,
    value + 1n,
    value + (1n << 32n),
    value << 32n,
  ]);
  const values = [...new Set(near.map(value => BigInt.asUintN(64, value)))];
  const random = randomNumbers(7);
  const some = (): bigint => values[Math.floor(random() * values.length)]!;
  return [
    ...values.map(value => Array.from({ length: 6 }, () => value)),
    ...Array.from({ length: 100 }, () => Array.from({ length: 6 }, some)),
  ];
}

/**
 * The profile's verdict on the named call, by 64-bit arithmetic; without multiplexers, and without ENOSYS.
 */
export function read(profile: Seccomp, abi: Abi, name: string, args: readonly bigint[]): number {
  const bits = abi === 'x64' || abi === 'arm64' ? 64 : 32;
  const rules = profile.syscalls.filter(({ names }) => names.includes(name));
  for (const { action, errnoRet, args: conditions = [] } of rules) {
    const results = conditions.map(condition => holds(condition, args[condition.index]!, bits));
    const isRepeated = new Set(conditions.map(({ index }) => index)).size < conditions.length;
    if (isRepeated ? results.some(Boolean) : results.every(Boolean)) return verdict(action, errnoRet);
  }
  return verdict(profile.defaultAction, profile.defaultErrnoRet);
}

function holds({ op, value, valueTwo = 0 }: SeccompCondition, arg: bigint, bits: number): boolean {
  const [a, b, c] = [arg, value, valueTwo].map(each => BigInt.asUintN(bits, BigInt(each))) as [
    bigint,
    bigint,
    bigint,
  ];
  const answers: Record<SeccompOperator, boolean> = {
    SCMP_CMP_NE: a !== b,
    SCMP_CMP_LT: a < b,
    SCMP_CMP_LE: a <= b,
    SCMP_CMP_EQ: a === b,
    SCMP_CMP_GE: a >= b,
    SCMP_CMP_GT: a > b,
    SCMP_CMP_MASKED_EQ: (a & b) === (b & c),
  };
  return answers[op];
}

export function verdict(action: SeccompAction, data = 1): number {
  return (VERDICT[action] | (/ERRNO|TRACE/.test(action) ? data : 0)) >>> 0;
}

export function namesOf(abi: Abi): string[] {
  return [...syscallNumbers(abi).keys()];
}
