// What the kernel must show of the names, files and settings of exercise 3.
import { namespaceInode, readMountinfo } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';
import { newProcesses } from '../../learn/grader/outside.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'named', title: 'A box with a name', points: 2, file: 'named.ts', check: checkNamed },
    { id: 'keep', title: 'A namespace in a file', points: 4, file: 'keep.ts', check: checkKeep },
    {
      id: 'tune',
      needsRoot: true,
      title: 'Settings that are not the machine’s',
      points: 3,
      file: 'tune.ts',
      check: checkTune,
    },
  ],
};

async function output(lab: Lab, ...argv: string[]): Promise<string> {
  return (await lab.command(argv)).stdout.trim();
}

async function checkNamed(lab: Lab): Promise<void> {
  const name = lab.random.word(12);
  const before = await output(lab, 'hostname');
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  const ran = await lab.run([name, 'hostname']);
  lab.promise('has-the-name', ran.stdout.trim() === name, {
    promised: `in the box, hostname prints ${name}`,
    seen: ending(ran),
    look: 'sethostname(2), and which process calls it',
  });
  const running = await lab.start([name, ...argv]);
  const pid = await lab.find(argv, { running });
  const after = await output(lab, 'hostname');
  lab.promise('outside-unchanged', pid !== undefined && after === before, {
    promised: `outside, the name stays ${before}`,
    seen: `it is ${after}`,
    look: 'in which UTS namespace sethostname is called: is it a step of the child, and does the child have its own?',
  });
  lab.promise('own-ipc', namespaceInode(pid!, 'ipc') !== namespaceInode(lab.sandbox.pid, 'ipc'), {
    promised: 'the box has message queues and shared memory of its own',
    seen: 'its IPC namespace is the same as outside: readlink /proc/PID/ns/ipc',
    look: 'the flags of clone(); ipc_namespaces(7)',
  });
}

async function checkKeep(lab: Lab): Promise<void> {
  const name = lab.random.word(12);
  const file = `/tmp/${lab.random.word()}`;
  const before = lab.sandbox.processes();
  const ran = await lab.run([file, name]);
  const kept = readMountinfo(lab.sandbox.pid)!.find(({ mountPoint }) => mountPoint === file);
  lab.promise('is-mounted', kept?.type === 'nsfs', {
    promised: `after the program has ended, a namespace is mounted on ${file}: /proc/self/mountinfo says nsfs`,
    seen: `${kept === undefined ? 'nothing is mounted there' : `a ${kept.type} is mounted there`}, and ${ending(ran)}`,
    look: 'mount() with MS.BIND, on an existing file; in which mount namespace?',
  });
  const own = `uts:[${namespaceInode(lab.sandbox.pid, 'uts')}]`;
  lab.promise('another-namespace', kept!.root !== own, {
    promised: 'it is a new UTS namespace',
    seen: `it is ${own}, the same as outside`,
    look: "whose /proc/PID/ns/uts is mounted: the child's, or the parent's?",
  });
  const told = await lab.command(['nsenter', `--uts=${file}`, 'hostname']);
  lab.promise('has-the-name', told.stdout.trim() === name, {
    promised: `nsenter --uts=${file} hostname prints ${name}`,
    seen: `it printed ${quote(told.stdout.trim() || told.stderr.trim())}`,
    look: 'sethostname: is it called in the namespace that is kept?',
  });
  const outside = await output(lab, 'hostname');
  lab.promise('outside-unchanged', outside === 'sandbox', {
    promised: 'outside, the name stays sandbox',
    seen: `it is ${outside}`,
    look: 'the flags of clone()',
  });
  const left = await newProcesses(lab, before);
  lab.promise('no-process-left', left.length === 0, {
    promised: 'no process is left: the mount alone keeps the namespace',
    seen: `${left.length} of its processes still run`,
    look: 'what the child does after the last step: it has to end',
  });
}

const pathOf = (setting: string): string => `/proc/sys/${setting.replaceAll('.', '/')}`;

/** The settings that can be changed here, or all of them if none can. */
async function writable(lab: Lab, settings: readonly string[]): Promise<readonly string[]> {
  const script = settings.map(
    name => `value=$(cat ${pathOf(name)}) && echo $value > ${pathOf(name)} && echo ${name}`,
  );
  const { stdout } = await lab.command(['sh', '-c', `exec 2>/dev/null; ${script.join('; ')}`]);
  const found = stdout.split('\n').filter(line => settings.includes(line));
  return found.length > 0 ? found : settings;
}

/** Of each kind of setting in the exercise's list one, with a value that the kernel takes and does not have by itself. */
function settings(random: Lab['random']): [setting: string, value: string][] {
  const number = String(random.integer(1000, 8000));
  const plain = random.pick(['msgmax', 'msgmnb', 'msgmni', 'shmall', 'shmmax', 'shmmni']);
  return [
    [random.pick(['kernel.hostname', 'kernel.domainname']), random.word()],
    [`kernel.${plain}`, number],
    random.pick([
      ['kernel.sem', `250 ${number} 32 128`],
      ['kernel.shm_rmid_forced', '1'],
    ]),
    [`fs.mqueue.${random.pick(['msg_max', 'queues_max'])}`, String(random.integer(11, 200))],
  ];
}

/**
 * A setting of the machine's that a program in the sandbox could change: one of the network, or a file of its own in the
 * place of one, since the sandbox lets no program change those of the kernel.
 */
async function replaced(lab: Lab, setting: string): Promise<string | undefined> {
  const script = 'cat "$1" > "$2" && mount --bind "$2" "$1"';
  const { code } = await lab.command(['sh', '-c', script, 'sh', pathOf(setting), `/tmp/${setting}`]);
  return code === 0 ? setting : undefined;
}

async function checkTune(lab: Lab): Promise<void> {
  const { random } = lab;
  const values = settings(random);
  const paths = values.map(([setting]) => pathOf(setting));
  const before = await output(lab, 'cat', ...paths);
  for (const [setting, value] of values) {
    const ran = await lab.run([`${setting}=${value}`, 'cat', pathOf(setting)]);
    lab.promise('is-set', ran.stdout.trim().replace(/\s+/g, ' ') === value, {
      promised: `in the box, ${pathOf(setting)} says ${value}`,
      seen: ending(ran),
      look: 'does a step of the child write it, before the program? does isOurs() know the whole list?',
    });
  }
  const after = await output(lab, 'cat', ...paths);
  const changed = after.split('\n').findIndex((line, at) => line !== before.split('\n')[at]);
  lab.promise('outside-unchanged', changed < 0, {
    promised: `outside, ${paths[changed]} still says ${before.split('\n')[changed]}`,
    seen: `it says ${after.split('\n')[changed]}`,
    look: 'which process opens the file: the setting is that of the namespaces of the opener',
  });
  // Each gets the value that it already has, so that a wrong answer does no harm.
  const shared = [
    random.pick(await writable(lab, ['net.ipv4.ip_default_ttl', 'net.ipv4.tcp_sack', 'net.core.somaxconn'])),
    await replaced(lab, random.pick(['kernel.threads-max', 'kernel.pid_max', 'kernel.panic', 'fs.file-max'])),
  ].filter(setting => setting !== undefined);
  for (const setting of shared) {
    const token = random.word();
    const same = await output(lab, 'cat', pathOf(setting));
    const refused = await lab.run([`${setting}=${same}`, 'echo', token]);
    lab.promise(
      'refuses-others',
      refused.code === 125 && !refused.stdout.includes(token) && refused.stderr !== '',
      {
        promised: `${setting} is not the box's own: the program says so on stderr, runs nothing, and exits with 125`,
        seen: ending(refused),
        look: 'isOurs(): true only for settings of the UTS and IPC namespaces',
      },
    );
  }
}
