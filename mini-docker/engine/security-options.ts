// --security-opt: 'no-new-privileges', 'seccomp=unconfined', 'systempaths=unconfined', 'label=disable', …

import type { HostConfig } from '../formats/engine-api.ts';
import { badParameter, EngineError } from './errors.ts';
import type { HostFacts } from './host-facts.ts';

export interface SecurityOptions {
  noNewPrivileges: boolean;
  /** A profile for AppArmor, where the kernel has it. */
  apparmor?: string;
}

/** @throws badParameter for options that do not exist, notImplemented for a seccomp profile */
export function decodeSecurityOptions(host: HostConfig, facts: HostFacts): SecurityOptions {
  const result: SecurityOptions = { noNewPrivileges: false };
  for (const option of host.SecurityOpt ?? []) {
    const [key, value] = splitOption(option);
    switch (key) {
      case 'no-new-privileges':
        if (value !== undefined && value !== 'true' && value !== 'false') throw invalid(option);
        result.noNewPrivileges = value !== 'false';
        break;
      case 'seccomp':
        if (value === undefined) throw invalid(option);
        if (value !== 'unconfined' && value !== 'builtin') {
          throw new EngineError('notImplemented', '--security-opt seccomp=PROFILE is not supported yet');
        }
        break;
      case 'apparmor':
        if (value === undefined) throw invalid(option);
        if (value !== 'unconfined') {
          if (!facts.apparmor)
            throw badParameter(`--security-opt ${option}: this kernel runs without AppArmor`);
          result.apparmor = value;
        }
        break;
      case 'label':
        if (value !== 'disable') {
          throw badParameter(`--security-opt ${option}: SELinux labels are not supported; label=disable is`);
        }
        break;
      case 'systempaths':
      case 'writable-cgroups':
        // The client turns systempaths=unconfined into empty MaskedPaths and ReadonlyPaths before it sends.
        break;
      default:
        throw invalid(option);
    }
  }
  return result;
}

function splitOption(option: string): [string, string | undefined] {
  const at = option.search(/[=:]/);
  return at < 0 ? [option, undefined] : [option.slice(0, at), option.slice(at + 1)];
}

function invalid(option: string): EngineError {
  return badParameter(`invalid --security-opt: ${JSON.stringify(option)}`);
}
