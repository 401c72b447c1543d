// What the pictures show: real commands in a real terminal (tmux), with a daemon in namespaces of its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE, startDaemon } from '../test/support/daemon.ts';
import { drawPage } from './page.ts';
import { decodeScreen, plain } from './screen.ts';
import { drawTerminals, type Terminal } from './svg.ts';

interface Scene {
  /** File name without its ending. */
  name: string;
  alternative: string;
  /** Side by side. */
  terminals: {
    title: string;
    columns: number;
    rows: number;
    command: string;
    /** A word that shows that the screen is complete. */
    until: string;
    /** Keys for tmux send-keys, typed after `until` was shown, and a word to wait for then. */
    typed?: { keys: string[]; until: string };
  }[];
}

const SCENES: Scene[] = [
  {
    name: 'explain',
    alternative: 'run --explain prints the system calls that make a root file system, each with its reason',
    terminals: [
      {
        title: 'mini-docker run --explain --section root busybox true',
        columns: 80,
        rows: 24,
        command: 'mini-docker run --explain --section root busybox true',
        until: 'umount2',
      },
    ],
  },
  {
    name: 'map',
    alternative: 'network map draws two networks with their bridges, cables, containers and a published port',
    terminals: [
      {
        title: 'mini-docker network map',
        columns: 96,
        rows: 20,
        command: 'mini-docker network map',
        until: '80/tcp',
      },
    ],
  },
  {
    name: 'layers',
    alternative: 'image layers draws what each layer of an image adds, and what a later one makes unseen',
    terminals: [
      {
        title: 'mini-docker image layers shop',
        columns: 80,
        rows: 24,
        command: 'mini-docker image layers shop',
        until: 'busybox',
      },
    ],
  },
  {
    name: 'view',
    alternative:
      'view shows the containers of a machine, and of one its processes, namespaces, limits and network, live',
    terminals: [
      { title: 'mini-docker view', columns: 110, rows: 32, command: 'mini-docker view', until: 'database' },
    ],
  },
  {
    name: 'course',
    alternative:
      'A chapter of the course on the left, and the sandbox in which its commands are typed on the right',
    terminals: [
      {
        title: 'learn read 2',
        columns: 84,
        rows: 26,
        command: 'learn read 2',
        until: 'Chapter 2',
      },
      {
        title: 'learn shell',
        columns: 64,
        rows: 26,
        command: 'learn shell',
        // The prompt; the words before it are there sooner.
        until: ' $',
        typed: {
          keys: ["unshare --pid --fork sh -c 'echo I am number $$'", 'Enter'],
          until: 'I am number 1',
        },
      },
    ],
  },
];

const PAGE =
  'view --web draws a machine with its containers and bridges, and opens one of them, in a browser';

export interface Picture {
  name: string;
  svg: string;
}

export async function takePictures(): Promise<Picture[]> {
  await using daemon = await startDaemon();
  const directory = mkdtempSync(join(tmpdir(), 'pictures-'));
  const root = join(import.meta.dirname, '..');
  const socket = join(directory, 'tmux');
  const environment = {
    ...process.env,
    DOCKER_HOST: daemon.host,
    PATH: `${join(root, 'bin')}:${process.env.PATH}`,
    LC_ALL: 'C.UTF-8',
    NO_COLOR: '',
  };
  const tmux = (...words: string[]): string =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], { encoding: 'utf8', env: environment });
  try {
    prepare(
      (...words) =>
        execFileSync(NODE, [join(root, 'bin/main.cjs'), ...words], {
          env: environment,
          cwd: directory,
          stdio: 'pipe',
        }),
      directory,
    );
    // Keeps the server between two pictures.
    tmux('new-session', '-d', '-s', 'base', 'sleep 600');
    const pictures: Picture[] = [];
    for (const { name, alternative, terminals } of SCENES) {
      const shown: Terminal[] = [];
      for (const { title, columns, rows, command, until, typed } of terminals) {
        const shell = `exec sh -c ${quoted(`${command}; sleep 60`)}`;
        tmux('new-session', '-d', '-s', 'picture', '-x', String(columns), '-y', String(rows), shell);
        tmux('set-option', '-g', 'status', 'off');
        tmux('resize-window', '-t', 'picture', '-x', String(columns), '-y', String(rows));
        let screen = await screenWith(tmux, until);
        if (typed !== undefined) {
          tmux('send-keys', '-t', 'picture', ...typed.keys);
          screen = await screenWith(tmux, typed.until);
        }
        shown.push({ title, columns, lines: decodeScreen(screen) });
        tmux('kill-session', '-t', 'picture');
      }
      pictures.push({ name, svg: drawTerminals(shown, alternative) });
    }
    pictures.push({
      name: 'web',
      svg: await drawPage({ alternative: PAGE, environment, until: 'httpd' }),
    });
    return pictures;
  } finally {
    try {
      tmux('kill-server');
    } catch {
      // No session was begun.
    }
    rmSync(directory, { recursive: true });
  }
}

/** Two networks, an image with a deleted file, and something that works. */
function prepare(docker: (...words: string[]) => unknown, directory: string): void {
  writeFileSync(
    join(directory, 'Dockerfile'),
    'FROM busybox\nRUN head -c 3000000 /dev/urandom > /data && echo shop > /name\nRUN rm /data\nCMD ["sh"]\n',
  );
  docker('build', '-t', 'shop', '.');
  docker('network', 'create', 'front');
  docker('run', '-d', '--name', 'batch', 'busybox', 'sleep', '1000');
  const serve = 'mkdir /www; echo hello > /www/index.html; exec httpd -f -h /www';
  docker(
    'run',
    '-d',
    '--name',
    'database',
    '--network',
    'front',
    '--memory',
    '64m',
    'busybox',
    'sh',
    '-c',
    'while :; do sleep 0.01; done',
  );
  docker(
    'run',
    '-d',
    '--name',
    'web',
    '--network',
    'front',
    '--memory',
    '64m',
    '-p',
    '8080:80',
    'shop',
    'sh',
    '-c',
    serve,
  );
}

async function screenWith(tmux: (...words: string[]) => string, word: string): Promise<string> {
  const deadline = Date.now() + 30_000;
  let before = '';
  for (;;) {
    await sleep(300);
    const screen = tmux('capture-pane', '-e', '-p', '-t', 'picture');
    // Twice the same number of lines: it is complete.
    if (plain(decodeScreen(screen)).includes(word) && before.split('\n').length === screen.split('\n').length)
      return screen;
    if (Date.now() > deadline) throw new Error(`${JSON.stringify(word)} is not shown:\n${screen}`);
    before = screen;
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What stays the same from run to run and from clone to clone: the words of a picture, each once, sorted. */
export function wordsOf(svg: string): string[] {
  const text = (/<desc[^>]*>([\s\S]*?)<\/desc>/.exec(svg)?.[1] ?? '').replace(
    /^.*\[sandbox\].*$|\/\S+/gm,
    '',
  );
  return [
    // One second or several, it depends on the run.
    ...new Set(
      [...text.matchAll(/(?<![\w-])[A-Za-z][a-z]{3,}(?![\w-])/g)].map(([word]) =>
        word === 'seconds' ? 'second' : word,
      ),
    ),
  ].sort();
}
