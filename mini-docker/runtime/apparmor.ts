// Loads the profile into the kernel, if the kernel has AppArmor.

import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { spawnSync } from '../linux/on-demand.ts';
import { readQuietly } from '../linux/proc/file.ts';
import { DEFAULT_PROFILE, PROFILE_TEXT } from './apparmor-profile.ts';

export interface AppArmor {
  usable: boolean;
  /** Why AppArmor cannot be used although the kernel has it; shown to users. */
  problem?: string;
}

/** A file in securityfs where the kernel lists the loaded profiles. */
const LOADED = '/sys/kernel/security/apparmor/profiles';
/** Milliseconds; loading usually takes about ten. */
const PATIENCE = 20_000;

/** Loads the profile, and replaces the one of an earlier version of this program. */
export function openAppArmor(): AppArmor {
  if (readQuietly('/sys/module/apparmor/parameters/enabled')?.trim() !== 'Y') return { usable: false };
  if (!existsSync(LOADED)) {
    return unusable('securityfs is not mounted: mount -t securityfs securityfs /sys/kernel/security');
  }
  const problem = load();
  return problem === undefined || isLoaded() ? { usable: true } : unusable(problem);
}

/**
 * Loads the profile again if it was removed from the kernel meanwhile.
 * @param profile the profile of the process that is about to start; any other than ours is ignored
 * @throws Error when it cannot be loaded
 */
export function ensureProfile(profile: string | undefined): void {
  if (profile !== DEFAULT_PROFILE || isLoaded()) return;
  const problem = load();
  if (problem !== undefined)
    throw new Error(`AppArmor's profile ${DEFAULT_PROFILE} is not loaded: ${problem}`);
}

function unusable(problem: string): AppArmor {
  return {
    usable: false,
    problem: `AppArmor is on in this kernel, but containers run without a profile: ${problem}`,
  };
}

function isLoaded(): boolean {
  return (readQuietly(LOADED) ?? '').includes(`${DEFAULT_PROFILE} (`);
}

/**
 * @returns the failure, if any. AppArmor's own program compiles the policy, since the binary form depends on
 * the kernel.
 */
function load(): string | undefined {
  const PATH = [process.env.PATH, '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter);
  const { error, status, stderr } = spawnSync('apparmor_parser', ['--replace', '--skip-cache'], {
    input: PROFILE_TEXT,
    encoding: 'utf8',
    env: { PATH },
    timeout: PATIENCE,
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    return 'apparmor_parser is not installed (Debian, Ubuntu: apparmor)';
  }
  if (error !== undefined) return error.message;
  return status === 0
    ? undefined
    : `apparmor_parser: ${stderr.trim().split('\n')[0] || `exit code ${status}`}`;
}
