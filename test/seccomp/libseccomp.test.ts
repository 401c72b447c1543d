// The same profiles, compiled by libseccomp: where an engine that uses it lets a program pass, ours has to, and nowhere else.
import { describe, expect, test } from 'vitest';
import type { Seccomp } from '../../mini-docker/formats/oci/runtime-spec.ts';
import { resolveSeccompProfile } from '../../mini-docker/formats/seccomp.ts';
import type { Architecture } from '../../mini-docker/linux/step.ts';
import { decodeInstructions, type Instruction, interpret } from '../../mini-docker/runtime/seccomp/bpf.ts';
import { AUDIT_ARCH, seccompFilter } from '../../mini-docker/runtime/seccomp/compile.ts';
import { DEFAULT_PROFILE } from '../../mini-docker/runtime/seccomp/default-profile.ts';
import { type Abi, syscallNumbers } from '../../mini-docker/runtime/seccomp/syscall-numbers.ts';
import {
  argumentLists,
  hasTwoRanges,
  namesOf,
  randomProfile,
} from '../../mini-docker/runtime/testing/profiles.ts';
import { hasLibseccomp, isKnownToLibseccomp, libseccompFilter } from './libseccomp.ts';

const ABIS: Record<Architecture, Abi[]> = { x64: ['x64', 'x86', 'x32'], arm64: ['arm64', 'arm'] };
const MULTIPLEXERS = ['socketcall', 'ipc'];
/** set_mempolicy_home_node, the last call that libseccomp 2.5.4 has heard of. */
const LAST_KNOWN = 450;
const X32_BIT = 0x4000_0000;
const ARM_PRIVATE = 0x000f_0000;

function defaultProfile(machine: Architecture, capabilities: readonly string[]): Seccomp {
  return resolveSeccompProfile(DEFAULT_PROFILE, {
    architecture: machine,
    kernel: '6.1.0',
    capabilities,
  });
}

/** Every number of every ABI, with every argument that could matter where the profile looks at them. */
function differences(
  profile: Seccomp,
  machine: Architecture,
  options: { passOver?: readonly string[] } = {},
): string[] {
  const ours = decodeInstructions(seccompFilter(profile, machine));
  const theirs = libseccompFilter(profile, machine, { tree: false });
  const lists = argumentLists(profile);
  const found: string[] = [];
  for (const abi of ABIS[machine]) {
    for (const { nr, looksAtArguments } of numbersOf(profile, abi, options.passOver ?? [])) {
      for (const args of looksAtArguments ? lists : lists.slice(0, 2)) {
        const shown = abi === 'x86' || abi === 'arm' ? args.map(value => BigInt.asUintN(32, value)) : args;
        const call = { arch: AUDIT_ARCH[abi], nr, args: shown };
        const [mine, other] = [interpret(ours, call).verdict, interpret(theirs, call).verdict];
        if (mine === other) continue;
        found.push(`${abi} ${nr} (${shown.join()}): ${mine.toString(16)}, libseccomp ${other.toString(16)}`);
      }
    }
  }
  return found;
}

/** Those that have a name that libseccomp knows or none at all; above the highest of the profile ENOSYS is ours alone. */
function numbersOf(
  profile: Seccomp,
  abi: Abi,
  passOver: readonly string[],
): { nr: number; looksAtArguments: boolean }[] {
  const numbers = syscallNumbers(abi);
  const named = profile.syscalls.flatMap(({ names }) => names);
  const looksAt = profile.syscalls.flatMap(({ names, args = [] }) => (args.length > 0 ? names : []));
  const withArguments = new Set([...looksAt, ...MULTIPLEXERS].map(name => numbers.get(name)));
  const highest = Math.max(...named.map(name => numbers.get(name) ?? 0));
  const unknown = new Set(
    [...numbers]
      .filter(([name]) => !isKnownToLibseccomp(name) || passOver.includes(name))
      .map(([, nr]) => nr),
  );
  const first = abi === 'x32' ? X32_BIT : 0;
  const all = [
    ...Array.from({ length: LAST_KNOWN + 1 }, (_, index) => first + index),
    ...(abi === 'arm' ? [...numbers.values()].filter(nr => nr >= ARM_PRIVATE) : []),
  ];
  return all
    .filter(nr => !unknown.has(nr) && nr <= highest)
    .map(nr => ({ nr, looksAtArguments: withArguments.has(nr) }));
}

describe.skipIf(!hasLibseccomp)('next to libseccomp', () => {
  test.each([
    ['x64', []],
    ['x64', ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE']],
    ['x64', ['CAP_SYS_CHROOT', 'CAP_SYS_NICE', 'CAP_SYSLOG']],
    ['arm64', []],
    ['arm64', ['CAP_SYS_ADMIN', 'CAP_BPF']],
  ] as const)('the default profile decides every call alike: %s with %j', (machine, capabilities) => {
    expect(differences(defaultProfile(machine, capabilities), machine)).toEqual([]);
  });

  test('profiles with all actions and comparisons decide every call alike', () => {
    const names = namesOf('x64').filter(isKnownToLibseccomp);
    for (let seed = 1; seed <= 25; seed++) {
      const profile = randomProfile(seed, names);
      // Two ranges of one argument: libseccomp 2.5.4 loses one of them. compile.test.ts has them.
      profile.syscalls = profile.syscalls.filter(({ args = [] }) => !hasTwoRanges(args));
      // What is allowed under conditions is not allowed at all behind a pointer, with us.
      const found = differences(profile, 'x64', { passOver: MULTIPLEXERS });
      expect(found.slice(0, 3), `seed ${seed}`).toEqual([]);
    }
  });

  test('socketcall and ipc of 32-bit x86 decide as the calls behind them', () => {
    const found = differences(
      {
        defaultAction: 'SCMP_ACT_ERRNO',
        architectures: ['SCMP_ARCH_X86'],
        syscalls: [
          {
            names: ['socket', 'recvmsg', 'accept', 'shmget', 'semop', 'semtimedop'],
            action: 'SCMP_ACT_ALLOW',
          },
          { names: ['connect', 'msgsnd'], action: 'SCMP_ACT_TRAP' },
        ],
      },
      'x64',
    );
    expect(found).toEqual([]);
  });

  test('our filter is shorter, and asks less of each call', () => {
    const profile = defaultProfile('x64', ['CAP_SYS_CHROOT']);
    const ours = measure(decodeInstructions(seccompFilter(profile, 'x64')));
    const list = measure(libseccompFilter(profile, 'x64', { tree: false }));
    const tree = measure(libseccompFilter(profile, 'x64', { tree: true }));
    expect(ours.length * 3).toBeLessThan(tree.length);
    expect(ours.mean).toBeLessThan(tree.mean);
    expect(ours.most).toBeLessThan(tree.most);
    expect(ours.mean * 10).toBeLessThan(list.mean);
    if (process.env.MINI_DOCKER_MEASURE) process.stdout.write(`${JSON.stringify({ ours, list, tree })}\n`);
  });
});

/** Instructions in all, and those that a call of this machine takes. */
function measure(program: readonly Instruction[]): { length: number; mean: number; most: number } {
  const steps = [...syscallNumbers('x64').values()].map(
    nr => interpret(program, { arch: AUDIT_ARCH.x64, nr }).steps,
  );
  return {
    length: program.length,
    mean: steps.reduce((sum, each) => sum + each, 0) / steps.length,
    most: Math.max(...steps),
  };
}
