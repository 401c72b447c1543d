// Selects a container's system call filter. Each profile is parsed once, and compiled once for each set of
// capabilities, so a start usually finds it ready.

import { badParameter, FormatError } from '../../formats/errors.ts';
import type { Seccomp } from '../../formats/oci/runtime-spec.ts';
import { decodeSeccompProfile, resolveSeccompProfile, type SeccompProfile } from '../../formats/seccomp.ts';
import { hostArchitecture } from '../../linux/step.ts';
import { seccompFilter } from '../../runtime/seccomp/compile.ts';
import { DEFAULT_PROFILE } from '../../runtime/seccomp/default-profile.ts';

export const NO_PROFILE: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] };

/** Parsed user profiles, by their text. */
const read = new Map<string, SeccompProfile>();
const KEPT = 32;
const resolved = new WeakMap<SeccompProfile, Map<string, Seccomp>>();

/** @throws badParameter when the profile is invalid */
export function userProfile(text: string): SeccompProfile {
  const known = read.get(text);
  if (known !== undefined) return known;
  const profile = saying(() => decodeSeccompProfile(text) ?? NO_PROFILE);
  if (read.size >= KEPT) read.delete(read.keys().next().value!);
  read.set(text, profile);
  return profile;
}

/**
 * @param profile the profile; default: the built-in one
 * @param options.capabilities names in the bounding set, 'CAP_CHOWN'
 * @returns undefined for an empty profile
 * @throws badParameter when it cannot be compiled
 */
export function containerSeccomp(
  profile: SeccompProfile = DEFAULT_PROFILE,
  options: { kernel: string; capabilities: readonly string[] },
): Seccomp | undefined {
  if (profile === NO_PROFILE) return undefined;
  const key = options.capabilities.toSorted().join(' ');
  const known = resolved.get(profile) ?? new Map<string, Seccomp>();
  resolved.set(profile, known);
  const found = known.get(key);
  if (found !== undefined) return found;
  const architecture = hostArchitecture();
  const made = resolveSeccompProfile(profile, { architecture, ...options });
  saying(() => seccompFilter(made, architecture));
  known.set(key, made);
  return made;
}

function saying<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof FormatError || cause instanceof RangeError || cause instanceof TypeError))
      throw cause;
    throw badParameter(`Decoding seccomp profile failed: ${cause.message}`);
  }
}
