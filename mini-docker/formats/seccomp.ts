// Files with profiles for seccomp(2), in two forms: Docker's, whose rules may depend on capabilities, architecture and
// kernel, and the OCI runtime specification's, which contains the rules for one container on one machine.
// https://docs.docker.com/engine/security/seccomp/, config-linux.md of the runtime specification.
import { FormatError } from './errors.ts';
import type { Seccomp, SeccompAction, SeccompOperator } from './oci/runtime-spec.ts';
import { array, fieldsOf, type Infer, integer, object, or, type Schema, string, strings } from './schema.ts';

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
export const OPERATORS: ReadonlySet<string> = new Set<SeccompOperator>([
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
]);
const KNOWN_FLAGS: ReadonlySet<string> = new Set([
  'SECCOMP_FILTER_FLAG_TSYNC',
  'SECCOMP_FILTER_FLAG_LOG',
  'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
]);
/** MAX_ERRNO: the kernel reduces larger numbers to this one. <linux/err.h> */
const LARGEST_ERRNO = 4095;
const WHAT = 'seccomp profile';

const one =
  <T extends string>(known: ReadonlySet<string>): Schema<T> =>
  (value, where) => {
    const name = string(value, where);
    if (!known.has(name)) throw unknown(name, where, known);
    return name as T;
  };

const within =
  (most: number, meaning: string): Schema<number> =>
  (value, where) => {
    const number = integer(value, where);
    if (number < 0 || number > most) throw new FormatError(`${where} ${meaning}, not ${number}`);
    return number;
  };

const errno = within(LARGEST_ERRNO, `must be an errno, 0 to ${LARGEST_ERRNO}`);

const action: Schema<SeccompAction> = (value, where) => {
  if (value === 'SCMP_ACT_NOTIFY') {
    throw new FormatError(
      `${where}: SCMP_ACT_NOTIFY is not supported: the profile's listener cannot be reached`,
    );
  }
  return one<SeccompAction>(ACTIONS)(value, where);
};

const kernelVersion: Schema<string> = (value, where) => {
  const version = string(value, where);
  if (version === '' || /^\d{1,3}\.\d{1,3}$/.test(version)) return version;
  throw new FormatError(`${where} must be MAJOR.MINOR, not ${JSON.stringify(version)}`);
};

const word: Schema<number | string> = (value, where) => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && /^\d{16,20}$/.test(value) && BigInt(value) < 1n << 64n) return value;
  throw new FormatError(`${where} must be an integer of 64 bits without sign, not ${JSON.stringify(value)}`);
};

const condition = object(
  { valueTwo: word },
  {
    index: within(5, 'must be that of an argument, 0 to 5'),
    value: or(word, 0),
    op: one<SeccompOperator>(OPERATORS),
  },
);

const ruleFilter = object({
  /** Capabilities in the bounding set: 'CAP_SYS_ADMIN'. */
  caps: strings,
  /** Architectures under Go's names: 'amd64', 'arm64', 'x86', 'x32', 'arm'. */
  arches: strings,
  /** 'MAJOR.MINOR' */
  minKernel: kernelVersion,
});
type RuleFilter = Infer<typeof ruleFilter>;

const ruleFields = object(
  {
    name: string,
    names: strings,
    errnoRet: errno,
    args: array(condition),
    /** Conditions that must all hold for the rule to apply. */
    includes: ruleFilter,
    /** Conditions of which none may hold for the rule to apply. */
    excludes: ruleFilter,
  },
  { action },
);

export type ProfileRule = Infer<typeof rule>;
const rule = (value: unknown, where: string) => {
  const { name, names = [], ...rest } = ruleFields(value, where);
  if (name && names.length > 0) throw new FormatError(`${where} has both 'name' and 'names'`);
  return { names: name ? [name] : names, ...rest };
};

const profileFields = object(
  {
    defaultErrnoRet: errno,
    /** For each native architecture, the older ones that its kernel also runs. */
    archMap: array(object({}, { architecture: string, subArchitectures: or(strings, []) })),
    architectures: strings,
    flags: array(one(KNOWN_FLAGS)),
    listenerPath: string,
  },
  { defaultAction: action, syscalls: or(array(rule), []) },
);
export type SeccompProfile = Omit<Infer<typeof profileFields>, 'listenerPath'>;

/**
 * Decodes a profile in either form. An empty profile means no filter, and gives undefined.
 * @throws FormatError naming the field
 */
export function decodeSeccompProfile(text: string): SeccompProfile | undefined {
  const { defaultAction = null, syscalls = null } = fieldsOf(parseExact(text), WHAT);
  const hasRules = syscalls !== null && !(Array.isArray(syscalls) && syscalls.length === 0);
  if ((defaultAction ?? '') === '' && !hasRules) return undefined;
  const { listenerPath, ...profile } = profileFields(parseExact(text), WHAT);
  if (profile.archMap?.length && profile.architectures?.length) {
    throw new FormatError(`${WHAT} has both 'architectures' and 'archMap': it may have one of them`);
  }
  if (listenerPath) {
    throw new FormatError(`${WHAT}.listenerPath: notifying another process is not supported`);
  }
  return profile;
}

/** The rules of a profile that apply to one container. */
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
  return !minKernel || isKernelSince(facts.kernel, minKernel);
}

function isExcluded({ caps = [], arches = [], minKernel }: RuleFilter = {}, facts: Facts): boolean {
  if (arches.includes(facts.architecture)) return true;
  if (caps.some(name => facts.capabilities.has(name))) return true;
  return minKernel ? isKernelSince(facts.kernel, minKernel) : false;
}

/** Compares major and minor numbers only: '5.10.3-1-amd64' counts as 5.10. */
function isKernelSince(release: string, least: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** JSON.parse, except that integers too large for a number remain strings of digits. */
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

function unknown(value: string, where: string, known: Iterable<string>): FormatError {
  return new FormatError(`${where}: unknown ${JSON.stringify(value)}; there are ${[...known].join(', ')}`);
}
