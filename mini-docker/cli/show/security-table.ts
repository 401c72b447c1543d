// `inspect --security`: shows two processes side by side, in words.

import type { ProcessSecurity, SecurityReport } from '../../formats/security-report.ts';
import { encodeBinarySize } from '../../formats/sizes.ts';
import { wrapped } from './wrapped.ts';

const NOTHING = 'nothing';

/** @param width the terminal's width in columns */
export function securityTable(name: string, report: SecurityReport, width: number): string {
  const { container, host } = report;
  const titles: [string, string] = [`${name} (the container)`, 'a process of the host'];
  const rows: [string, ...[string, string]][] = [
    ['', ...titles],
    ...ROWS.map(([label, show]): [string, string, string] => [
      label,
      show(container, host),
      show(host, host),
    ]),
  ];
  const first = Math.max(...rows.map(([label]) => label.length)) + 2;
  const column = Math.max(24, Math.floor((width - first - 2) / 2));
  return rows
    .map(([label, left, right]) => {
      const cells = [lines(left, column), lines(right, column)] as const;
      const height = Math.max(1, cells[0].length, cells[1].length);
      return Array.from({ length: height }, (_, line) => {
        const start = (line === 0 ? label : '').padEnd(first);
        return `${start}${(cells[0][line] ?? '').padEnd(column)}  ${cells[1][line] ?? ''}`.trimEnd();
      }).join('\n');
    })
    .join('\n');
}

type Show = (process: ProcessSecurity, host: ProcessSecurity) => string;

const ROWS: [label: string, show: Show][] = [
  ['process', ({ pid, program }) => `${program}, pid ${pid}`],
  [
    'user',
    ({ uid, gid, groups }) =>
      `uid ${uid}, gid ${gid}${groups.length > 0 ? `, groups ${groups.join(' ')}` : ''}`,
  ],
  ['user outside', showMap],
  ['its own namespaces', ({ namespaces }) => list(namespaces.own)],
  ['shared with the host', ({ namespaces }) => list(namespaces.shared)],
  ['capabilities', ({ capabilities, capabilitiesInAll }) => many(capabilities.effective, capabilitiesInAll)],
  [
    'at most, by setuid',
    ({ capabilities, capabilitiesInAll, noNewPrivileges }) =>
      noNewPrivileges ? 'no more than that: no_new_privs' : many(capabilities.bounding, capabilitiesInAll),
  ],
  [
    'system calls',
    ({ seccomp }) => (seccomp === undefined ? 'all: no filter' : `${seccomp.allowed} allowed by the filter`),
  ],
  ['  refused', ({ seccomp }) => list(seccomp?.refused ?? [])],
  ['  hidden (ENOSYS)', ({ seccomp }) => list(seccomp?.hidden ?? [])],
  ['  by their arguments', ({ seccomp }) => list(seccomp?.conditional ?? [])],
  ['  end the program', ({ seccomp }) => list(seccomp?.fatal ?? [])],
  ['AppArmor, SELinux', ({ label }) => label ?? 'the kernel has neither'],
  ['hidden files', ({ masked }) => list(masked)],
  [
    'read-only files',
    ({ readonly, rootIsReadonly }) => list([...(rootIsReadonly ? ['/'] : []), ...readonly]),
  ],
  ['control group', ({ cgroup }) => cgroup.path],
  ['  memory', ({ cgroup }) => (cgroup.memory === undefined ? 'no limit' : encodeBinarySize(cgroup.memory))],
  ['  processes', ({ cgroup }) => (cgroup.pids === undefined ? 'no limit' : String(cgroup.pids))],
  ['  cpus', ({ cgroup }) => (cgroup.cpus === undefined ? 'no limit' : String(cgroup.cpus))],
  [
    'limits (ulimit)',
    ({ limits }) =>
      Object.entries(limits)
        .map(([name, value]) => `${name} ${value ?? 'without limit'}`)
        .join(', '),
  ],
];

function showMap({ uidMap, uid }: ProcessSecurity): string {
  const [{ inside = 0, outside = 0, count = 0 } = {}] = uidMap;
  if (inside === outside && count > 1e9) {
    return uid === 0
      ? "the machine's root: no user namespace"
      : `the machine's user ${uid}: no user namespace`;
  }
  return uidMap
    .map(
      ({ inside, outside, count }) =>
        `${inside} to ${inside + count - 1} inside are ${outside} to ${outside + count - 1} outside`,
    )
    .join(', ');
}

function many(names: readonly string[], all: number): string {
  if (names.length === all) return `all ${all}`;
  return names.length > all / 2 ? `${names.length} of ${all}` : list(names);
}

function list(names: readonly string[]): string {
  return names.length === 0 ? NOTHING : names.join(' ');
}

/** Lines of whole words; only a word that is longer than a line is broken. */
function lines(text: string, width: number): string[] {
  return wrapped(
    text.split(' ').flatMap(word => word.match(new RegExp(`.{1,${width}}`, 'g')) ?? []),
    width,
  );
}
