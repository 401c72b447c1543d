// Profiles for seccomp(2) as files: Docker's form, whose rules may depend on capabilities, architecture and kernel, and
// the OCI runtime specification's, which is what is left of it for one container on one machine.
// https://docs.docker.com/engine/security/seccomp/, config-linux.md of the runtime specification.
import { FormatError } from './errors.ts';
import { array, type Fields, integer, object, optional, present, string, strings } from './json-fields.ts';
import type {
  Seccomp,
  SeccompAction,
  SeccompCondition,
  SeccompOperator,
  SeccompRule,
} from './oci/runtime-spec.ts';

export interface SeccompProfile extends Omit<Seccomp, 'syscalls'> {
  /** For each native architecture, the older ones that its kernel also runs. */
  archMap?: { architecture: string; subArchitectures: string[] }[];
  syscalls: ProfileRule[];
}

export interface ProfileRule extends SeccompRule {
  /** The rule is there only if all of this is so. */
  includes?: RuleFilter;
  /** The rule is not there if any of this is so. */
  excludes?: RuleFilter;
}

export interface RuleFilter {
  /** 'CAP_SYS_ADMIN': of the bounding set. */
  caps?: string[];
  /** Go's names: 'amd64', 'arm64', 'x86', 'x32', 'arm'. */
  arches?: string[];
  /** 'MAJOR.MINOR' */
  minKernel?: string;
}

const ACTIONS: ReadonlySet<string> = new Set<SeccompAction>([
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
]);
const OPERATORS: ReadonlySet<string> = new Set<SeccompOperator>([
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
]);
const KNOWN_FLAGS = [
  'SECCOMP_FILTER_FLAG_TSYNC',
  'SECCOMP_FILTER_FLAG_LOG',
  'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
];
/** MAX_ERRNO: the kernel takes a larger one for this. <linux/err.h> */
const LARGEST_ERRNO = 4095;
const WHAT = 'seccomp profile';

/**
 * Reads a profile in either form; undefined for one that says nothing, which is no filter.
 * @throws FormatError naming the field
 */
export function decodeSeccompProfile(text: string): SeccompProfile | undefined {
  const fields = object(parseExact(text), WHAT);
  const syscalls = optional(fields, 'syscalls', WHAT, rules) ?? [];
  if ((fields.defaultAction ?? '') === '' && syscalls.length === 0) return undefined;
  const archMap = optional(fields, 'archMap', WHAT, (value, where) => array(value, where, archEntry));
  const architectures = optional(fields, 'architectures', WHAT, strings);
  if (archMap?.length && architectures?.length) {
    throw new FormatError(`${WHAT} has both 'architectures' and 'archMap': it may have one of them`);
  }
  if (optional(fields, 'listenerPath', WHAT, string)) {
    throw new FormatError(`${WHAT}.listenerPath: notifying another process is not supported`);
  }
  return present<SeccompProfile>({
    defaultAction: action(fields.defaultAction, `${WHAT}.defaultAction`),
    defaultErrnoRet: optional(fields, 'defaultErrnoRet', WHAT, errno),
    archMap,
    architectures,
    flags: optional(fields, 'flags', WHAT, (value, where) => array(value, where, flag)),
    syscalls,
  });
}

/** What of the profile holds for one container. */
export function resolveSeccompProfile(
  profile: SeccompProfile,
  machine: { architecture: 'x64' | 'arm64'; kernel: string; capabilities: readonly string[] },
): Seccomp {
  const { archMap = [], syscalls, ...rest } = profile;
  const native = machine.architecture === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64';
  const own = archMap.find(({ architecture }) => architecture === native);
  const facts = {
    capabilities: new Set(machine.capabilities),
    architecture: machine.architecture === 'x64' ? 'amd64' : 'arm64',
    kernel: machine.kernel,
  };
  return {
    ...rest,
    ...(own === undefined ? {} : { architectures: [own.architecture, ...own.subArchitectures] }),
    syscalls: syscalls.flatMap(({ includes, excludes, ...rule }) =>
      isIncluded(includes, facts) && !isExcluded(excludes, facts) ? [rule] : [],
    ),
  };
}

interface Facts {
  capabilities: ReadonlySet<string>;
  architecture: string;
  kernel: string;
}

function isIncluded({ caps = [], arches = [], minKernel }: RuleFilter = {}, facts: Facts): boolean {
  if (arches.length > 0 && !arches.includes(facts.architecture)) return false;
  if (!caps.every(name => facts.capabilities.has(name))) return false;
  return minKernel === undefined || isKernelSince(facts.kernel, minKernel);
}

function isExcluded({ caps = [], arches = [], minKernel }: RuleFilter = {}, facts: Facts): boolean {
  if (arches.includes(facts.architecture)) return true;
  if (caps.some(name => facts.capabilities.has(name))) return true;
  return minKernel !== undefined && isKernelSince(facts.kernel, minKernel);
}

/** '5.10.3-1-amd64' is as 5.10. */
function isKernelSince(release: string, least: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** JSON.parse, but integers that a number cannot hold stay as the digits that were written. */
function parseExact(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value, context?: { source?: string }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) && /^\d+$/.test(context?.source ?? '')
        ? context!.source
        : value,
    );
  } catch (cause) {
    throw new FormatError(`${WHAT} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function rules(value: unknown, where: string): ProfileRule[] {
  return array(value, where, rule);
}

function rule(value: unknown, where: string): ProfileRule {
  const fields = object(value, where);
  const name = optional(fields, 'name', where, string);
  const names = optional(fields, 'names', where, strings) ?? [];
  if (name && names.length > 0) throw new FormatError(`${where} has both 'name' and 'names'`);
  const filter = (value: unknown, where: string) => ruleFilter(object(value, where), where);
  return present<ProfileRule>({
    names: name ? [name] : names,
    action: action(fields.action, `${where}.action`),
    errnoRet: optional(fields, 'errnoRet', where, errno),
    args: optional(fields, 'args', where, (value, where) => array(value, where, condition)),
    includes: optional(fields, 'includes', where, filter),
    excludes: optional(fields, 'excludes', where, filter),
  });
}

function ruleFilter(fields: Fields, where: string): RuleFilter {
  const minKernel = optional(fields, 'minKernel', where, string);
  if (minKernel && !/^\d{1,3}\.\d{1,3}$/.test(minKernel)) {
    throw new FormatError(`${where}.minKernel must be MAJOR.MINOR, not ${JSON.stringify(minKernel)}`);
  }
  return present<RuleFilter>({
    caps: optional(fields, 'caps', where, strings),
    arches: optional(fields, 'arches', where, strings),
    minKernel: minKernel || undefined,
  });
}

function condition(value: unknown, where: string): SeccompCondition {
  const fields = object(value, where);
  const index = integer(fields.index, `${where}.index`);
  if (index < 0 || index > 5) throw new FormatError(`${where}.index: a system call has arguments 0 to 5`);
  const op = string(fields.op, `${where}.op`);
  if (!OPERATORS.has(op)) throw unknown(op, `${where}.op`, OPERATORS);
  return present<SeccompCondition>({
    index,
    value: optional(fields, 'value', where, word) ?? 0,
    valueTwo: optional(fields, 'valueTwo', where, word),
    op: op as SeccompOperator,
  });
}

function word(value: unknown, where: string): number | string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && /^\d{16,20}$/.test(value) && BigInt(value) < 1n << 64n) return value;
  throw new FormatError(`${where} must be an integer of 64 bits without sign, not ${JSON.stringify(value)}`);
}

function errno(value: unknown, where: string): number {
  const number = integer(value, where);
  if (number < 0 || number > LARGEST_ERRNO) {
    throw new FormatError(`${where} must be an errno, 0 to ${LARGEST_ERRNO}, not ${number}`);
  }
  return number;
}

function action(value: unknown, where: string): SeccompAction {
  const name = string(value, where);
  if (name === 'SCMP_ACT_NOTIFY') {
    throw new FormatError(`${where}: SCMP_ACT_NOTIFY is not supported, there is nobody to notify`);
  }
  if (!ACTIONS.has(name)) throw unknown(name, where, ACTIONS);
  return name as SeccompAction;
}

function flag(value: unknown, where: string): string {
  const name = string(value, where);
  if (!KNOWN_FLAGS.includes(name)) throw unknown(name, where, KNOWN_FLAGS);
  return name;
}

function archEntry(value: unknown, where: string): { architecture: string; subArchitectures: string[] } {
  const fields = object(value, where);
  return {
    architecture: string(fields.architecture, `${where}.architecture`),
    subArchitectures: optional(fields, 'subArchitectures', where, strings) ?? [],
  };
}

function unknown(value: string, where: string, known: Iterable<string>): FormatError {
  return new FormatError(`${where}: unknown ${JSON.stringify(value)}; there are ${[...known].join(', ')}`);
}
