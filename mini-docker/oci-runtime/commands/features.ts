import { HOOK_KINDS } from '../../formats/oci/runtime-spec.ts';
import { CAP } from '../../linux/constants.ts';
import { OPTION_NAMES } from '../../runtime/mount-options.ts';
import { NAMESPACE_FLAG } from '../../runtime/namespaces.ts';
import type { Command } from '../command.ts';
import { OCI_VERSION } from '../container-state.ts';

export const command: Command = {
  args: '',
  summary: 'show the enabled features',
  run() {
    process.stdout.write(`${JSON.stringify(features(), null, 4)}\n`);
  },
};

/** features.md of the runtime specification. */
function features(): object {
  const names = (suffixes: string, prefix: string): string[] =>
    suffixes.split(' ').map(each => prefix + each);
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: OCI_VERSION,
    hooks: HOOK_KINDS,
    mountOptions: OPTION_NAMES,
    linux: {
      namespaces: Object.keys(NAMESPACE_FLAG).sort(),
      capabilities: Object.keys(CAP).map(name => `CAP_${name}`),
      cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true },
      seccomp: {
        enabled: true,
        actions: names('ALLOW ERRNO KILL KILL_PROCESS KILL_THREAD LOG NOTIFY TRACE TRAP', 'SCMP_ACT_'),
        operators: names('EQ GE GT LE LT MASKED_EQ NE', 'SCMP_CMP_'),
        archs: names('AARCH64 ARM X32 X86 X86_64', 'SCMP_ARCH_'),
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: true } },
    },
    annotations: {},
  };
}
