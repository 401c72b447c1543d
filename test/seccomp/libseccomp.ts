// For tests: the filter that libseccomp makes of a profile, driven as runc drives it.
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import type {
  Seccomp,
  SeccompAction,
  SeccompCondition,
  SeccompRule,
} from '../../mini-docker/formats/oci/runtime-spec.ts';
import type { Architecture } from '../../mini-docker/linux/step.ts';
import { decodeInstructions, type Instruction } from '../../mini-docker/runtime/seccomp/bpf.ts';
import { VERDICT } from '../../mini-docker/runtime/seccomp/compile.ts';

const PLACES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
const path = PLACES.map(place => join(place, 'libseccomp.so.2')).find(each => existsSync(each));

/** SCMP_ARCH_*, <seccomp.h> */
const ARCHITECTURES: Record<string, number> = {
  SCMP_ARCH_X86_64: 0xc000_003e,
  SCMP_ARCH_X86: 0x4000_0003,
  SCMP_ARCH_X32: 0x4000_003e,
  SCMP_ARCH_AARCH64: 0xc000_00b7,
  SCMP_ARCH_ARM: 0x4000_0028,
};
/** enum scmp_compare */
const OPERATORS = ['', 'NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map(name => `SCMP_CMP_${name}`);
/** SCMP_FLTATR_CTL_OPTIMIZE: 2 is a binary tree. */
const OPTIMIZE = 8;
const NO_SUCH_CALL = -1;

export const hasLibseccomp = path !== undefined;

function load() {
  const library = koffi.load(path!);
  return {
    init: library.func('void *seccomp_init(uint32_t)'),
    release: library.func('void seccomp_release(void *)'),
    addArch: library.func('int seccomp_arch_add(void *, uint32_t)'),
    removeArch: library.func('int seccomp_arch_remove(void *, uint32_t)'),
    setAttribute: library.func('int seccomp_attr_set(void *, uint32_t, uint32_t)'),
    resolve: library.func('int seccomp_syscall_resolve_name(const char *)'),
    resolveFor: library.func('int seccomp_syscall_resolve_name_arch(uint32_t, const char *)'),
    addRule: library.func('int seccomp_rule_add_array(void *, uint32_t, int, uint32_t, void *)'),
    exportBpf: library.func('int seccomp_export_bpf(void *, int)'),
  };
}

let loaded: ReturnType<typeof load> | undefined;
function library() {
  loaded ??= load();
  return loaded;
}

/** Whether this libseccomp has heard of the call. */
export function isKnownToLibseccomp(name: string): boolean {
  return library().resolve(name) !== NO_SUCH_CALL;
}

export function libseccompFilter(
  profile: Seccomp,
  machine: Architecture,
  options: { tree: boolean },
): Instruction[] {
  const { init, release, addArch, removeArch, setAttribute, resolve, addRule } = library();
  const otherwise = verdictOf(profile.defaultAction, profile.defaultErrnoRet);
  const context = init(otherwise);
  try {
    const native = machine === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64';
    for (const name of new Set([native, ...(profile.architectures ?? [])]))
      addArch(context, ARCHITECTURES[name]);
    if (machine !== process.arch) removeArch(context, ARCHITECTURES[hostName()]);
    if (options.tree) setAttribute(context, OPTIMIZE, 2);
    for (const rule of profile.syscalls) {
      const verdict = verdictOf(rule.action, rule.errnoRet);
      if (verdict === otherwise) continue;
      for (const name of rule.names) {
        const number = resolve(name);
        if (number === NO_SUCH_CALL) continue;
        for (const conditions of alternatives(rule)) {
          const result = addRule(context, verdict, number, conditions.length, encodeConditions(conditions));
          if (result !== 0) throw new Error(`seccomp_rule_add_array for ${name} gave ${result}`);
        }
      }
    }
    return exported(context);
  } finally {
    release(context);
  }
}

function hostName(): string {
  return process.arch === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64';
}

function alternatives({ args = [] }: SeccompRule): SeccompCondition[][] {
  const isRepeated = new Set(args.map(({ index }) => index)).size < args.length;
  return isRepeated ? args.map(each => [each]) : [args];
}

/** struct scmp_arg_cmp: argument, operator, two 64-bit values. */
function encodeConditions(conditions: readonly SeccompCondition[]): Buffer {
  const bytes = Buffer.alloc(Math.max(conditions.length, 1) * 24);
  conditions.forEach(({ index, op, value, valueTwo = 0 }, at) => {
    bytes.writeUInt32LE(index, at * 24);
    bytes.writeInt32LE(OPERATORS.indexOf(op), at * 24 + 4);
    bytes.writeBigUInt64LE(BigInt(value), at * 24 + 8);
    bytes.writeBigUInt64LE(BigInt(valueTwo), at * 24 + 16);
  });
  return bytes;
}

function exported(context: unknown): Instruction[] {
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-seccomp-'));
  const file = join(directory, 'filter');
  const fd = openSync(file, 'w');
  try {
    const result = library().exportBpf(context, fd);
    if (result !== 0) throw new Error(`seccomp_export_bpf gave ${result}`);
    return decodeInstructions(readFileSync(file));
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}

function verdictOf(action: SeccompAction, data = 1): number {
  return (VERDICT[action] | (/ERRNO|TRACE/.test(action) ? data : 0)) >>> 0;
}
