// --security-opt: 'no-new-privileges', 'seccomp=unconfined', 'apparmor=PROFILE', 'label=type:…', …

import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter, type ExpectedError } from '../../formats/errors.ts';
import type { SeccompProfile } from '../../formats/seccomp.ts';
import { DEFAULT_PROFILE } from '../../runtime/apparmor-profile.ts';
import type { HostFacts } from '../core/host-facts.ts';
import { userProfile } from './seccomp-profiles.ts';

export interface SecurityOptions {
  noNewPrivileges: boolean;
  /** Name of the AppArmor profile, or 'unconfined'. */
  apparmor: string;
  /** SELinux context of the container's processes, if the kernel has SELinux. */
  selinux?: string;
  seccomp: 'default' | 'unconfined' | SeccompProfile;
}

/** The context of a container's process in Docker's and Podman's policies. */
const CONTAINER_CONTEXT = { user: 'system_u', role: 'system_r', type: 'container_t', level: 's0' };
type ContextPart = keyof typeof CONTAINER_CONTEXT;

/** @throws badParameter when an option does not exist, or this kernel does not support it */
export function decodeSecurityOptions(host: HostConfig, facts: HostFacts): SecurityOptions {
  const result: SecurityOptions = {
    noNewPrivileges: false,
    seccomp: host.Privileged === true || !facts.seccomp ? 'unconfined' : 'default',
    apparmor: host.Privileged === true || !facts.apparmor ? 'unconfined' : DEFAULT_PROFILE,
  };
  let context: typeof CONTAINER_CONTEXT | undefined;
  for (const option of host.SecurityOpt ?? []) {
    const [key, value] = splitOption(option);
    if (value === undefined && key !== 'no-new-privileges' && key !== 'writable-cgroups')
      throw invalid(option);
    switch (key) {
      case 'no-new-privileges':
        result.noNewPrivileges = isOn(option, value);
        break;
      case 'seccomp':
        result.seccomp = seccompOf(value!, facts);
        break;
      case 'apparmor':
        result.apparmor = apparmorOf({ option, profile: value!, facts });
        break;
      case 'label':
        context = withLabel(context, { option, label: value!, facts });
        break;
      case 'systempaths':
      case 'writable-cgroups':
        // The client translates systempaths=unconfined into empty MaskedPaths and ReadonlyPaths.
        break;
      default:
        throw invalid(option);
    }
  }
  if (context !== undefined) {
    result.selinux = `${context.user}:${context.role}:${context.type}:${context.level}`;
  }
  return result;
}

/** '' selects the default. */
function apparmorOf({
  option,
  profile,
  facts,
}: {
  option: string;
  profile: string;
  facts: HostFacts;
}): string {
  if (profile !== 'unconfined' && !facts.apparmor) {
    throw badParameter(
      `--security-opt ${option}: ${facts.apparmorProblem ?? 'this kernel runs without AppArmor'}`,
    );
  }
  if (/[\s\0]/.test(profile)) throw invalid(option);
  return profile || DEFAULT_PROFILE;
}

function seccompOf(value: string, facts: HostFacts): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return value;
  if (!facts.seccomp) {
    throw badParameter(
      'seccomp is not enabled in your kernel, cannot run a custom seccomp profile (CONFIG_SECCOMP_FILTER)',
    );
  }
  return value === 'builtin' || value === '' ? 'default' : userProfile(value);
}

function withLabel(
  context: typeof CONTAINER_CONTEXT | undefined,
  { option, label, facts }: { option: string; label: string; facts: HostFacts },
): typeof CONTAINER_CONTEXT | undefined {
  if (label === 'disable') return undefined;
  const [, part, value] = /^(user|role|type|level):(.+)$/.exec(label) ?? [];
  if (part === undefined || value === undefined) throw invalid(option);
  if (!facts.selinux) throw badParameter(`--security-opt ${option}: this kernel runs without SELinux`);
  return { ...(context ?? CONTAINER_CONTEXT), [part as ContextPart]: value };
}

/** Whether the option is on, by Go's words for a boolean. */
function isOn(option: string, value: string | undefined): boolean {
  if (value === undefined || /^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(option);
}

function splitOption(option: string): [string, string | undefined] {
  const at = option.search(/[=:]/);
  return at < 0 ? [option, undefined] : [option.slice(0, at), option.slice(at + 1)];
}

function invalid(option: string): ExpectedError {
  return badParameter(`invalid --security-opt: ${JSON.stringify(option)}`);
}
