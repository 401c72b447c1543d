import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { configHome, daemonDirectories } from '../../formats/daemon-directories.ts';
import { SERVICE, SOCKET, systemdUnits } from '../../formats/systemd-units.ts';
import { decodeGroup } from '../../formats/user-database.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { command } from '../command.ts';
import { stopOtherDaemon } from '../daemon/hand-over.ts';
import { CommandError } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { print, write } from '../show/output.ts';

const flags = {
  root: text('directory', 'Change the files of the system in this directory, and start or stop nothing'),
  user: toggle('Your own daemon, without root, under your own systemd'),
};

interface Target {
  user: boolean;
  root: string | undefined;
}

export const systemInstall = command({
  usage: '[OPTIONS]',
  description:
    'Writes the units with which systemd starts the daemon at boot, or when a client connects, enables them and starts the daemon.',
  flags: { ...flags, print: toggle('Print the units, and change nothing') },
  examples: [
    ['system install', 'Start the daemon at boot'],
    ['system install --user', 'Start your own daemon when you log in'],
  ],
  async run({ flags }) {
    const units = systemdUnits({
      // Stays valid when Node is updated.
      command: inProject('bin/mini-docker'),
      documentation: inProject('README.md'),
      user: flags.user,
      group: socketGroup(flags.root),
      socket: join(ownDirectories(0).runDir, 'mini-docker.sock'),
      environment: Object.fromEntries(
        PLACES.flatMap(name => (process.env[name] ? [[name, process.env[name]]] : [])),
      ),
    });
    if (flags.print) {
      for (const [name, content] of Object.entries(units)) write(`# ${name}\n${content}\n`);
      return 0;
    }
    const directory = unitDirectory(flags);
    requireSystemd(flags);
    makeDirectories(directory);
    for (const [name, content] of Object.entries(units)) {
      writeFileSync(join(directory, name), content);
      print(`wrote ${join(directory, name)}`);
    }
    if (flags.root === undefined) {
      const { dataRoot } = ownDirectories();
      const former = await stopOtherDaemon({ dataRoot, service: SERVICE });
      if (former !== undefined) print(`stopped the daemon with pid ${former}; its containers go on`);
    }
    systemctl(flags, 'daemon-reload');
    try {
      systemctl(flags, 'enable', '--now', ...Object.keys(units));
    } catch (error) {
      const said = lastWords(flags);
      remove(flags, directory);
      throw said === undefined
        ? error
        : new CommandError(`the daemon does not start: ${said}`, { cause: error });
    }
    if (flags.root !== undefined) return 0;
    print(
      `the daemon runs, and starts ${flags.user ? 'when you log in' : 'at boot'}: systemctl ${flags.user ? '--user ' : ''}status mini-docker`,
    );
    if (flags.user) print('it ends when you log out, unless you allow it to stay: loginctl enable-linger');
  },
});

export const systemUninstall = command({
  usage: '[OPTIONS]',
  description:
    'Stops the daemon, and removes its units from systemd. Containers, images and volumes stay; running containers go on.',
  flags,
  examples: [['system uninstall', 'Do not start the daemon at boot any more']],
  async run({ flags }) {
    remove(flags, unitDirectory(flags));
  },
});

function remove(target: Target, directory: string): void {
  const names = [SOCKET, SERVICE].filter(name => existsSync(join(directory, name)));
  if (names.length === 0) throw new CommandError(`there are no units of mini-docker in ${directory}`);
  systemctl(target, 'disable', '--now', ...names);
  for (const name of names) {
    rmSync(join(directory, name));
    print(`removed ${join(directory, name)}`);
  }
  systemctl(target, 'daemon-reload');
}

/** Why the daemon could not start, as it told the journal. */
function lastWords({ user }: Target): string | undefined {
  const words = [
    ...(user ? ['--user'] : []),
    '--unit',
    SERVICE,
    '--lines',
    '20',
    '--output',
    'cat',
    '--no-pager',
  ];
  try {
    const lines = execFileSync('journalctl', words, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [, said] = [...lines.matchAll(/^mini-docker: (.*)$/gm)].at(-1) ?? [];
    return said;
  } catch {
    return undefined;
  }
}

/** The program is bin/main.cjs, or mini-docker/main.ts. */
const inProject = (path: string): string => resolve(dirname(process.argv[1]!), '..', path);

/** The daemon of the unit finds the same files as one that a command starts here. */
const PLACES = [
  ...['MINI_DOCKER_CONFIG_FILE', 'MINI_DOCKER_DATA_ROOT', 'MINI_DOCKER_RUN_DIR'],
  ...['XDG_CONFIG_HOME', 'XDG_DATA_HOME'],
];

const ownDirectories = (uid = process.getuid?.()) =>
  daemonDirectories({ uid, env: process.env, home: homedir(), exists: existsSync });

/** The group that the daemon would choose. */
function socketGroup(root = '/'): string {
  const groups = decodeGroup(readIfThere(join(root, 'etc/group')));
  return ['mini-docker', 'docker'].find(name => groups.some(each => each.name === name)) ?? 'root';
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** @throws CommandError when the wrong user asks */
function unitDirectory({ user, root }: Target): string {
  const isRoot = process.getuid?.() === 0;
  if (user && isRoot)
    throw new CommandError('--user is for ordinary users: leave it out, or run this as one');
  if (!user && !isRoot && root === undefined) {
    throw new CommandError('this needs root: use sudo, or --user for a daemon of your own, without root');
  }
  if (!user) return join(root ?? '/', 'etc/systemd/system');
  return join(root ?? '/', configHome(process.env, homedir()), 'systemd/user');
}

function requireSystemd({ root }: Target): void {
  if (root !== undefined || existsSync('/run/systemd/system')) return;
  throw new CommandError(
    'systemd does not run here (there is no /run/systemd/system), so nothing was installed. --print shows the units; without them, any command starts the daemon',
  );
}

/** Another system's units are only files. @throws CommandError with what systemctl said */
function systemctl({ user, root }: Target, ...words: string[]): void {
  if (root !== undefined) return;
  try {
    execFileSync('systemctl', [...(user ? ['--user'] : []), ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (cause) {
    const { stderr } = cause as { stderr?: Buffer };
    const said = stderr
      ?.toString()
      .replace(/^(Created|Removed) .*\n/gm, '')
      .trim();
    throw new CommandError(`systemctl ${words[0]}: ${said || (cause as Error).message}`, { cause });
  }
}
