// Run in a virtual machine, under an older kernel that has cgroup v2 and is Debian's: makes system calls fail that do
// not fail elsewhere, or that would take changes to the machine. Prints what the errors say of it.
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { call } from '../../mini-docker/linux/call.ts';
import { AT, MFD } from '../../mini-docker/linux/constants.ts';
import { memfdCreate, mkdirat, writeText } from '../../mini-docker/linux/syscalls.ts';
import { hintBelow, hintOf } from '../support/provoke.ts';

const root = '/sys/fs/cgroup';
const top = `${root}/mini-docker-hints`;

function writing(file: string, value: string | number): string {
  const fd = openSync(file, 'r+');
  try {
    return hintOf(() => call(writeText(fd, String(value))));
  } finally {
    closeSync(fd);
  }
}

const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];

/** With another value in /proc/sys, which is the machine's. */
function withSysctl(name: string, value: string, scene: () => string): string {
  const file = `/proc/sys/${name}`;
  const before = readFileSync(file);
  writeFileSync(file, value);
  try {
    return scene();
  } finally {
    writeFileSync(file, before);
  }
}

const scenes: Record<string, () => string> = {
  'a process for a group that gives controllers on': () => {
    mkdirSync(`${top}/inner/leaf`, { recursive: true });
    // Not pids: a controller that counts threads does not mind.
    writeFileSync(`${top}/cgroup.subtree_control`, '+memory');
    writeFileSync(`${top}/inner/cgroup.subtree_control`, '+memory');
    return writing(`${top}/inner/cgroup.procs`, process.pid);
  },
  'a controller that is passed on further below': () => writing(`${top}/cgroup.subtree_control`, '-memory'),
  'giving controllers on from a group with processes': () => {
    mkdirSync(`${top}/busy`);
    writeFileSync(`${top}/busy/cgroup.procs`, String(process.pid));
    const hint = writing(`${top}/busy/cgroup.subtree_control`, '+memory');
    writeFileSync(`${root}/cgroup.procs`, String(process.pid));
    return hint;
  },
  'a controller that is not there': () => writing(`${top}/inner/cgroup.subtree_control`, '+pids'),
  'a process for a threaded group': () => {
    mkdirSync(`${top}/threads/below`, { recursive: true });
    mkdirSync(`${top}/threads/beside`, { recursive: true });
    writeFileSync(`${top}/threads/below/cgroup.type`, 'threaded');
    return writing(`${top}/threads/beside/cgroup.procs`, process.pid);
  },
  'more groups than are allowed': () => {
    mkdirSync(`${top}/few`);
    writeFileSync(`${top}/few/cgroup.max.descendants`, '0');
    return hintOf(() => call(mkdirat(AT.FDCWD, `${top}/few/one`, 0o755)));
  },
  'a value that is none': () => {
    mkdirSync(`${top}/few2`);
    return writing(`${top}/few2/memory.max`, 'many');
  },
  'user namespaces for root only': () =>
    withSysctl('kernel/unprivileged_userns_clone', '0', () =>
      hintBelow(nobody, 'call(cloneCall(CLONE.NEWUSER | SIG.CHLD, 0, null, 0, 0))'),
    ),
  'flags of memfd_create that came later': () => hintOf(() => call(memfdCreate('x', MFD.CLOEXEC | MFD.EXEC))),
  'as many open files as the machine may have': () =>
    hintBelow(
      ['sh', '-c', 'echo 2000 >/proc/sys/fs/file-max; exec "$@"', 'sh', ...nobody],
      "for (;;) call(openat(AT.FDCWD, '/dev/null', O.RDONLY, 0))",
    ),
};

writeFileSync(`${root}/cgroup.subtree_control`, '+pids +memory');
mkdirSync(top);
for (const [name, scene] of Object.entries(scenes)) {
  let text: string;
  try {
    text = scene();
  } catch (error) {
    text = String(error);
  }
  console.log(`scene: ${JSON.stringify({ name, text })}`);
}
