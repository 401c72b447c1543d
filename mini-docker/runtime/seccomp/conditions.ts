// Comparisons of arguments. The kernel gives a filter 64 bits of each, and BPF compares 32 at a time.
import type { SeccompCondition } from '../../formats/oci/runtime-spec.ts';
import { DATA, type Decisions, type Node, type Question, search } from './decision.ts';

const ALL = 0xffff_ffff;

/**
 * `yes` if all conditions hold. @param bits width of the ABI's registers: with 32, the upper halves are
 * ignored
 */
export function whereAll(
  decisions: Decisions,
  conditions: readonly SeccompCondition[],
  options: { bits: 32 | 64; yes: Node; no: Node },
): Node {
  const { bits, yes, no } = options;
  const ordered = conditions.toSorted((a, b) => a.index - b.index);
  return ordered.reduceRight((next, condition) => where(decisions, condition, { bits, yes: next, no }), yes);
}

/**
 * `yes` if one of many comparisons of the same argument with small numbers holds (a list of socket families).
 * A binary search decides, since a chain of questions would be three times as long. undefined for other
 * conditions, and for few.
 */
export function whereOneOf(
  decisions: Decisions,
  conditions: readonly SeccompCondition[],
  options: { bits: 32 | 64; yes: Node; no: Node },
): Node | undefined {
  const { bits, yes, no } = options;
  const [first] = conditions;
  const isListed = ({ index, op, value }: SeccompCondition): boolean =>
    index === first?.index && (op === 'SCMP_CMP_EQ' || op === 'SCMP_CMP_LT') && halves(value).high === 0;
  if (first === undefined || conditions.length < 3 || !conditions.every(isListed)) return undefined;
  const valuesOf = (op: SeccompCondition['op']): number[] =>
    conditions.filter(each => each.op === op).map(({ value }) => Number(value));
  const equal = new Set(valuesOf('SCMP_CMP_EQ'));
  const below = valuesOf('SCMP_CMP_LT').reduce((a, b) => Math.max(a, b), 0);
  const borders = new Set([0, below, ...[...equal].flatMap(value => [value, value + 1])]);
  const ranges = [...borders]
    .filter(from => from <= ALL)
    .sort((a, b) => a - b)
    .map(from => ({ from, node: from < below || equal.has(from) ? yes : no }));
  const lower = search(decisions, DATA.low(first.index), ranges);
  const at = DATA.high(first.index);
  return bits === 32 ? lower : decisions.ask({ at, is: 'equal', value: 0, yes: lower, no });
}

/** Whether the condition holds for every argument. */
export function isAlways({ op, value }: SeccompCondition): boolean {
  return op === 'SCMP_CMP_MASKED_EQ' && BigInt(value) === 0n;
}

function where(
  decisions: Decisions,
  condition: SeccompCondition,
  ways: { bits: 32 | 64; yes: Node; no: Node },
): Node {
  const { bits, yes, no } = ways;
  const { op } = condition;
  const compare = (is: 'equal' | 'above' | 'atLeast', yes: Node, no: Node): Node =>
    comparison(decisions, condition, { is, bits, yes, no });
  switch (op) {
    case 'SCMP_CMP_EQ':
      return compare('equal', yes, no);
    case 'SCMP_CMP_NE':
      return compare('equal', no, yes);
    case 'SCMP_CMP_GT':
      return compare('above', yes, no);
    case 'SCMP_CMP_LE':
      return compare('above', no, yes);
    case 'SCMP_CMP_GE':
      return compare('atLeast', yes, no);
    case 'SCMP_CMP_LT':
      return compare('atLeast', no, yes);
    case 'SCMP_CMP_MASKED_EQ':
      return maskedEqual(decisions, condition, ways);
  }
}

function comparison(
  decisions: Decisions,
  { index, value }: SeccompCondition,
  options: { is: Question['is']; bits: 32 | 64; yes: Node; no: Node },
): Node {
  const { is, bits, yes, no } = options;
  const { low, high } = halves(value);
  const lower = decisions.ask({ at: DATA.low(index), is, value: low, yes, no });
  if (bits === 32) return lower;
  const at = DATA.high(index);
  const same = decisions.ask({ at, is: 'equal', value: high, yes: lower, no });
  // No value is greater than all ones.
  return is === 'equal' || high === ALL
    ? same
    : decisions.ask({ at, is: 'above', value: high, yes, no: same });
}

function maskedEqual(
  decisions: Decisions,
  { index, value, valueTwo = 0 }: SeccompCondition,
  { bits, yes, no }: { bits: 32 | 64; yes: Node; no: Node },
): Node {
  const mask = halves(value);
  const wanted = halves(valueTwo);
  const half = (at: number, mask: number, wanted: number, yes: Node): Node => {
    if (mask === 0) return yes;
    const question = { at, is: 'equal', value: (wanted & mask) >>> 0, yes, no } as const;
    return decisions.ask(mask === ALL ? question : { ...question, mask });
  };
  const lower = half(DATA.low(index), mask.low, wanted.low, yes);
  return bits === 32 ? lower : half(DATA.high(index), mask.high, wanted.high, lower);
}

function halves(value: number | string): { low: number; high: number } {
  const whole = BigInt(value);
  return { low: Number(whole & 0xffff_ffffn), high: Number(whole >> 32n) };
}
