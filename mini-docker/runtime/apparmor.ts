// AppArmor, where the kernel has it: whether it can be used, and our profile in the kernel.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { DEFAULT_PROFILE, PROFILE_TEXT } from './apparmor-profile.ts';

export interface AppArmor {
  usable: boolean;
  /** Why not, where the kernel has it: for users. */
  problem?: string;
}

/** A securityfs; the kernel lists there what is loaded. */
const LOADED = '/sys/kernel/security/apparmor/profiles';
/** Milliseconds; it takes some ten. */
const PATIENCE = 20_000;

/** Loads the profile, the version of this program in place of an earlier one. */
export function openAppArmor(): AppArmor {
  if (read('/sys/module/apparmor/parameters/enabled').trim() !== 'Y') return { usable: false };
  if (!existsSync(LOADED)) {
    return unusable('securityfs is not mounted: mount -t securityfs securityfs /sys/kernel/security');
  }
  const problem = load();
  return problem === undefined || isLoaded() ? { usable: true } : unusable(problem);
}

/**
 * Loads our profile again where somebody has taken it out of the kernel meanwhile.
 * @param profile of the process that is about to start; nothing happens for others than ours
 * @throws Error
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
  return read(LOADED).includes(`${DEFAULT_PROFILE} (`);
}

/** @returns what went wrong. The policy is compiled by AppArmor's own program: its binary form depends on the kernel. */
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

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
