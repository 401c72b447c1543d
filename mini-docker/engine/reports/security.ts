// GET /containers/ID/security: the rights of a container's process according to the kernel, beside a host
// process's.

import { conflict } from '../../formats/errors.ts';
import type { Seccomp } from '../../formats/oci/runtime-spec.ts';
import type { ProcessSecurity, SecurityReport } from '../../formats/security-report.ts';
import { type Pid, readProcFile } from '../../linux/proc/file.ts';
import { type MountInfo, mountAt, readMountinfo } from '../../linux/proc/mountinfo.ts';
import { type NamespaceName, namespaceInode } from '../../linux/proc/namespaces.ts';
import { readStatus } from '../../linux/proc/status.ts';
import { hostArchitecture } from '../../linux/step.ts';
import { lastCapability } from '../../runtime/last-capability.ts';
import { nothingIn } from '../../runtime/own-null.ts';
import { systemCallsOf } from '../../runtime/seccomp/system-calls.ts';
import { NAMESPACES } from '../../view/namespaces.ts';
import { capabilityNames, securityLabel } from '../../view/processes.ts';
import { notRunning } from '../core/errors.ts';
import type { LiveContainer } from '../state/live-container.ts';

/** @throws conflict when it is not running */
export async function securityReport(live: LiveContainer): Promise<SecurityReport> {
  const { run } = live;
  if (run === undefined) throw notRunning(live.id);
  const { container, spec } = run;
  const [memory, pids] = [spec.linux.resources?.memory?.limit, spec.linux.resources?.pids?.limit];
  const { quota = 0, period = 0 } = spec.linux.resources?.cpu ?? {};
  return {
    container: processSecurity(container.pid, {
      seccomp: spec.linux.seccomp,
      cgroup: {
        path: spec.linux.cgroupsPath,
        ...(memory === undefined || memory <= 0 ? {} : { memory }),
        ...(pids === undefined || pids <= 0 ? {} : { pids }),
        ...(quota > 0 && period > 0 ? { cpus: quota / period } : {}),
      },
    }),
    host: processSecurity('self', { seccomp: undefined, cgroup: { path: ownCgroup() } }),
  };
}

function processSecurity(
  pid: Pid,
  known: { seccomp: Seccomp | undefined; cgroup: ProcessSecurity['cgroup'] },
): ProcessSecurity {
  const status = readStatus(pid);
  if (status === undefined) throw conflict('the container has just ended');
  const mounts = readMountinfo(pid) ?? [];
  const isHosts = (name: NamespaceName) => namespaceInode(pid, name) === namespaceInode('self', name);
  const shared = pid === 'self' ? NAMESPACES : NAMESPACES.filter(isHosts);
  const { capabilities } = status;
  return {
    pid: status.pid,
    program: pid === 'self' ? 'the daemon' : status.name,
    uid: status.uid.effective,
    gid: status.gid.effective,
    groups: [...status.groups],
    uidMap: idMap(readProcFile(pid, 'uid_map') ?? ''),
    namespaces: { own: NAMESPACES.filter(name => !shared.includes(name)), shared: [...shared] },
    capabilities: {
      effective: capabilityNames(capabilities.effective),
      permitted: capabilityNames(capabilities.permitted),
      bounding: capabilityNames(capabilities.bounding),
      inheritable: capabilityNames(capabilities.inheritable),
      ambient: capabilityNames(capabilities.ambient),
    },
    capabilitiesInAll: lastCapability() + 1,
    noNewPrivileges: status.noNewPrivs,
    // The kernel reports that there is a filter; its content comes from the one that was loaded. Reading it
    // back from the kernel would stop the program (ptrace(2), PTRACE_SECCOMP_GET_FILTER).
    seccomp:
      status.seccomp === 'filter' && known.seccomp !== undefined
        ? systemCallsOf(known.seccomp, hostArchitecture())
        : undefined,
    label: securityLabel(pid),
    masked: pid === 'self' ? [] : kernelPaths(mounts, isMask),
    readonly: pid === 'self' ? [] : kernelPaths(mounts, mount => !isMask(mount) && isReadonly(mount)),
    rootIsReadonly: isReadonly(mountAt(mounts, '/')),
    cgroup: known.cgroup,
    limits: softLimits(readProcFile(pid, 'limits') ?? ''),
  };
}

function idMap(text: string): ProcessSecurity['uidMap'] {
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
      return { inside, outside, count };
    });
}

/** Mount points in /proc and /sys, sorted and without duplicates. */
function kernelPaths(mounts: readonly MountInfo[], isWanted: (mount: MountInfo) => boolean): string[] {
  const found = mounts.filter(({ mountPoint }) => /^\/(proc|sys)(\/|$)/.test(mountPoint)).filter(isWanted);
  return [...new Set(found.map(({ mountPoint }) => mountPoint))].sort();
}

/** The container's own /dev/null over a file, or its empty directory over another one. */
function isMask({ root, type }: MountInfo): boolean {
  const { node, directory } = nothingIn('');
  return root === node || (type === 'tmpfs' && root === directory);
}

function isReadonly(mount: MountInfo | undefined): boolean {
  return mount?.options.includes('ro') === true;
}

/** Decodes the columns of /proc/PID/limits: name, soft limit, hard limit, unit. */
function softLimits(text: string): ProcessSecurity['limits'] {
  const wanted: Record<string, string> = {
    'Max open files': 'open files',
    'Max processes': 'processes of the user',
    'Max locked memory': 'locked memory (bytes)',
    'Max core file size': 'core file (bytes)',
  };
  const limits: ProcessSecurity['limits'] = {};
  for (const line of text.split('\n')) {
    const name = wanted[line.slice(0, 25).trim()];
    if (name === undefined) continue;
    const [soft = ''] = line.slice(26).trim().split(/\s+/);
    limits[name] = soft === 'unlimited' ? undefined : Number(soft);
  }
  return limits;
}

function ownCgroup(): string {
  const text = readProcFile('self', 'cgroup') ?? '';
  return (
    text
      .split('\n')
      .map(line => line.split(':')[2] ?? '')
      .find(path => path !== '') ?? '/'
  );
}
