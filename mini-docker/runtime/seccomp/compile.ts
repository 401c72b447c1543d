// Compiles a seccomp profile (the OCI form) into a filter. Every system call has a verdict, or a few
// comparisons of its arguments that lead to one; consecutive calls with the same decision form one range; and
// binary search finds a call's range. libseccomp, which other engines use, compares one call after the other,
// or searches groups of four.

import { lookup } from '../../formats/lookup.ts';
import type {
  Seccomp,
  SeccompAction,
  SeccompCondition,
  SeccompRule,
} from '../../formats/oci/runtime-spec.ts';
import { ERRNO } from '../../linux/errno.ts';
import type { Architecture } from '../../linux/step.ts';
import { encodeInstructions, linearize } from './bpf.ts';
import { checkWords } from './check.ts';
import { isAlways, whereAll, whereOneOf } from './conditions.ts';
import { DATA, Decisions, type Node, type Range, search } from './decision.ts';
import { type Abi, MULTIPLEXERS, syscallNumbers } from './syscall-numbers.ts';

/** SECCOMP_RET_* without data. <linux/seccomp.h> */
export const VERDICT: Record<SeccompAction, number> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};
/** Actions that do not refuse a newer call, so that a program needs no ENOSYS to fall back. */
const PERMISSIVE: ReadonlySet<SeccompAction> = new Set(['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE']);

/** AUDIT_ARCH_*, <linux/audit.h>. x32 is x86-64 with a bit in the number. */
export const AUDIT_ARCH = {
  x64: 0xc000_003e,
  x32: 0xc000_003e,
  x86: 0x4000_0003,
  arm64: 0xc000_00b7,
  arm: 0x4000_0028,
} as const satisfies Record<Abi, number>;
const X32_BIT = 0x4000_0000;
/** First number of the calls that only arm has. <asm/unistd.h> */
const ARM_PRIVATE = 0x000f_0000;

const ABIS: Record<string, Abi> = {
  SCMP_ARCH_X86_64: 'x64',
  SCMP_ARCH_X86: 'x86',
  SCMP_ARCH_X32: 'x32',
  SCMP_ARCH_AARCH64: 'arm64',
  SCMP_ARCH_ARM: 'arm',
};
const FAMILIES: Record<Architecture, readonly Abi[]> = {
  x64: ['x64', 'x86', 'x32'],
  arm64: ['arm64', 'arm'],
};
const OTHER_MACHINES =
  /^SCMP_ARCH_(NATIVE|MIPS\w*|PPC\w*|S390X?|RISCV64|LOONGARCH64|PARISC(64)?|M68K|SH(EB)?)$/;

const compiled = new WeakMap<Seccomp, Map<Architecture, Uint8Array>>();

/**
 * The filter as an array of struct sock_filter. Each profile object is compiled only once.
 * @throws RangeError when it is longer than the kernel accepts
 * @throws TypeError when it names an unknown architecture, action or comparison
 */
export function seccompFilter(profile: Seccomp, machine: Architecture): Uint8Array {
  const filters = compiled.get(profile) ?? new Map<Architecture, Uint8Array>();
  compiled.set(profile, filters);
  const known = filters.get(machine);
  if (known !== undefined) return known;
  checkWords(profile, VERDICT);
  const filter = encodeInstructions(linearize(decide(profile, machine)));
  filters.set(machine, filter);
  return filter;
}

/** The system calls of one ABI, each with its rules in the profile's order. */
interface Table {
  abi: Abi;
  calls: Map<number, Rules>;
  /** The highest number that the profile names. */
  highest: number | undefined;
}

interface Rules {
  /** The verdict that holds for all arguments. */
  always?: number;
  chains: { conditions: SeccompCondition[]; verdict: number }[];
}

function decide(profile: Seccomp, machine: Architecture): Node {
  const decisions = new Decisions();
  const abis = abisOf(profile, machine);
  const tables = new Map(abis.map(abi => [abi, tableOf(profile, abi)]));
  // Under an ABI that the profile does not name, the numbers mean other calls.
  const foreign = decisions.verdict(VERDICT.SCMP_ACT_KILL);
  const rangesOf = (abi: Abi): Range[] => ranges(decisions, profile, tables.get(abi)!);
  const trees: [Abi, Node][] = abis.flatMap((abi): [Abi, Node][] => {
    if (abi === 'x32') return [];
    if (abi !== 'x64') return [[abi, search(decisions, DATA.nr, rangesOf(abi))]];
    const own = rangesOf('x64');
    // Negative numbers are no calls: a tracer sets -1 to skip one.
    const upper = abis.includes('x32')
      ? rangesOf('x32')
      : [
          { from: X32_BIT, node: foreign },
          { from: 2 * X32_BIT, node: own.at(-1)!.node },
        ];
    return [[abi, search(decisions, DATA.nr, [...own, ...upper])]];
  });
  return trees.reduceRight(
    (no, [abi, yes]) => decisions.ask({ at: DATA.arch, is: 'equal', value: AUDIT_ARCH[abi], yes, no }),
    foreign,
  );
}

/** The machine's own ABI first, since most calls use it. */
function abisOf({ architectures = [] }: Seccomp, machine: Architecture): Abi[] {
  const named = new Set<Abi>([machine]);
  for (const name of architectures) {
    const abi = lookup(ABIS, name);
    if (abi !== undefined) named.add(abi);
    else if (!OTHER_MACHINES.test(name))
      throw new TypeError(`the seccomp profile names architecture ${name}, which does not exist`);
  }
  return FAMILIES[machine].filter(abi => named.has(abi));
}

function tableOf(profile: Seccomp, abi: Abi): Table {
  const numbers = syscallNumbers(abi);
  const table: Table = { abi, calls: new Map(), highest: undefined };
  const otherwise = defaultVerdict(profile);
  for (const rule of profile.syscalls) {
    const verdict = verdictOf(rule);
    for (const name of rule.names) {
      const number = numbers.get(name);
      if (number !== undefined && !(abi === 'arm' && number >= ARM_PRIVATE)) {
        table.highest = Math.max(table.highest ?? 0, number);
      }
      // A rule whose verdict is the default only marks the name as known.
      if (verdict === otherwise) continue;
      if (number !== undefined) addRule(table, number, alternatives(rule.args ?? []), verdict);
      const multiplexer = abi === 'x86' ? MULTIPLEXERS.get(name) : undefined;
      if (multiplexer !== undefined) addMultiplexed(table, multiplexer, rule, verdict);
    }
  }
  return table;
}

/**
 * All conditions of a rule must hold. But two conditions on the same argument become two rules: that is how
 * runc reads them, and profiles rely on it.
 */
function alternatives(args: readonly SeccompCondition[]): SeccompCondition[][] {
  const isRepeated = new Set(args.map(({ index }) => index)).size < args.length;
  const all = isRepeated ? args.map(each => [each]) : [args];
  return all.map(conditions => conditions.filter(each => !isAlways(each)));
}

function addRule(table: Table, number: number, all: SeccompCondition[][], verdict: number): void {
  const rules = table.calls.get(number) ?? { chains: [] };
  table.calls.set(number, rules);
  for (const conditions of all) {
    if (rules.always !== undefined) return;
    if (conditions.length > 0) rules.chains.push({ conditions, verdict });
    else Object.assign(rules, { always: verdict, chains: [] });
  }
}

/**
 * socketcall(2) passes pointers, which a filter cannot follow; an argument that cannot be seen counts against
 * the caller.
 */
function addMultiplexed(
  table: Table,
  { call, selector }: { call: string; selector: number },
  rule: SeccompRule,
  verdict: number,
): void {
  const isBlind = alternatives(rule.args ?? []).every(each => each.length > 0);
  if (isBlind && PERMISSIVE.has(rule.action)) return;
  const number = syscallNumbers(table.abi).get(call)!;
  addRule(table, number, [[{ index: 0, op: 'SCMP_CMP_EQ', value: selector }]], verdict);
}

/** A node for every possible number. */
function ranges(decisions: Decisions, profile: Seccomp, { abi, calls, highest }: Table): Range[] {
  const otherwise = decisions.verdict(defaultVerdict(profile));
  const unknown = PERMISSIVE.has(profile.defaultAction)
    ? otherwise
    : decisions.verdict(VERDICT.SCMP_ACT_ERRNO | ERRNO.ENOSYS);
  const bits = abi === 'x64' || abi === 'arm64' ? 64 : 32;
  const nodes = new Map<number, Node>([[abi === 'x32' ? X32_BIT : 0, otherwise]]);
  const set = (number: number, node: Node): void => {
    nodes.set(number, node);
    if (!calls.has(number + 1)) nodes.set(number + 1, otherwise);
  };
  if (abi === 'arm') nodes.set(ARM_PRIVATE, otherwise);
  for (const [number, { always, chains }] of calls) {
    const rest = always === undefined ? otherwise : decisions.verdict(always);
    const yes = (verdict: number): Node => decisions.verdict(verdict);
    const listed = listOf(chains);
    const node =
      (listed && whereOneOf(decisions, listed.conditions, { bits, yes: yes(listed.verdict), no: rest })) ??
      chains.reduceRight(
        (no, { conditions, verdict }) => whereAll(decisions, conditions, { bits, yes: yes(verdict), no }),
        rest,
      );
    set(number, node);
  }
  // Programs try a new call and fall back to an old one on ENOSYS only.
  if (highest !== undefined) nodes.set(highest + 1, unknown);
  return [...nodes].map(([from, node]) => ({ from, node })).sort((a, b) => a.from - b.from);
}

/** The conditions of rules with one condition each, if all have the same verdict. */
function listOf(chains: Rules['chains']): { conditions: SeccompCondition[]; verdict: number } | undefined {
  const [first] = chains;
  const isAlike = chains.every(each => each.conditions.length === 1 && each.verdict === first!.verdict);
  if (first === undefined || !isAlike) return undefined;
  return { conditions: chains.flatMap(each => each.conditions), verdict: first.verdict };
}

function defaultVerdict({ defaultAction, defaultErrnoRet }: Seccomp): number {
  return withData(defaultAction, defaultErrnoRet);
}

function verdictOf({ action, errnoRet }: SeccompRule): number {
  return withData(action, errnoRet);
}

function withData(action: SeccompAction, data = ERRNO.EPERM): number {
  const hasData = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
  return (VERDICT[action] | (hasData ? data : 0)) >>> 0;
}
