// The check of hooks.ts: which hooks ran, in what order, where, and with what.
import { readFileSync, writeFileSync } from 'node:fs';
import { namespaceInode } from '#linux';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

interface Told {
  name: string;
  words: string;
  uts: string;
  environment: string;
  input: string;
}

export async function checkHooks(lab: Lab): Promise<void> {
  const { random } = lab;
  const inside = (path: string): string => `/proc/${lab.sandbox.pid}/root${path}`;
  const [bundle, log, script, marker] = [0, 0, 0, 0].map(() => `/tmp/${random.word()}`) as [
    string,
    string,
    string,
    string,
  ];
  await lab.command(['mkdir', bundle]);
  const line =
    'printf "%s\\t%s\\t%s\\t%s\\t%s\\n" "$1" "$*" "$(readlink /proc/self/ns/uts)" "$(env | tr "\\n" " ")" "$(cat)"';
  writeFileSync(
    inside(script),
    `#!/bin/sh\nexport PATH=/usr/bin:/bin\n${line} >> ${log}\n[ "$1" != fails ]\n`,
    {
      mode: 0o755,
    },
  );
  const argv = ['sleep', `${random.integer(1_000_000, 9_000_000)}`];
  await lab.arrange(['unshare', '--uts', '--ipc', '--mount', ...argv]);
  const box = await lab.find(argv);
  if (box === undefined) throw new Error('the process that stands for a box did not start');
  const state = JSON.stringify({
    ociVersion: '1.0.2',
    id: random.word(),
    status: 'creating',
    pid: lab.insidePid(box),
    bundle,
  });

  const hook = (name: string, more: object = {}): object => {
    const word = random.word();
    return { path: script, args: [script, name, word], env: [`OWN=${word}`], ...more };
  };
  /** Runs the hooks of a kind. @returns what they have told, and how the program ended */
  const run = async (kind: string, hooks: object[]) => {
    const others = {
      poststart: [hook('other')],
      createContainer: [hook('other')],
      prestart: [hook('other')],
    };
    writeFileSync(inside(`${bundle}/config.json`), JSON.stringify({ hooks: { ...others, [kind]: hooks } }));
    writeFileSync(inside(log), '');
    const ran = await lab.run([bundle, kind], { input: state, environment: { MARKER: marker } });
    const told = readFileSync(inside(log), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((text): Told => {
        const [name = '', words = '', uts = '', environment = '', input = ''] = text.split('\t');
        return { name, words, uts, environment, input };
      });
    return { told, ran };
  };
  const names = (told: Told[]): string => told.map(({ name }) => name).join(' ') || 'none';

  for (const kind of random.pick([
    ['createRuntime', 'createContainer'],
    ['startContainer', 'prestart'],
  ])) {
    const all = ['first', 'second', 'third'].map(name => hook(name)) as { args: string[]; env: string[] }[];
    const { told, ran } = await run(kind, all);
    lab.promise('order', names(told) === 'first second third' && ran.code === 0, {
      promised: `the ${kind} hooks run one after another, as they stand in config.json: first second third`,
      seen: `${names(told)}; ${ending(ran)}`,
      look: 'which hooks does the loop run, and does it wait for each?',
    });
    const isInside = kind.endsWith('Container');
    const uts = `uts:[${namespaceInode(isInside ? box : lab.sandbox.pid, 'uts')}]`;
    lab.promise(
      isInside ? 'inside' : 'outside',
      told.every(each => each.uts === uts),
      {
        promised: `${kind} hooks run in the namespaces of ${isInside ? 'the box: those of the pid in the state' : 'the runtime'}`,
        seen: `the first ran in ${told[0]!.uts}, not ${uts}`,
        look: 'inBox() of chapter 11',
      },
    );
    lab.promise(
      'state',
      told.every(each => each.input === state),
      {
        promised: `every ${kind} hook reads the state on its stdin, and then the end of the file`,
        seen: `the first read ${quote(told[0]!.input)}`,
        look: 'a pipe, whose writing end is closed',
      },
    );
    const [word] = all[0]!.args.slice(-1);
    lab.promise('arguments', told[0]!.words === `first ${word}`, {
      promised: `${kind} hooks get the arguments of config.json; the first of them is argv[0]`,
      seen: quote(told[0]!.words),
      look: 'args in config.md of the runtime-spec',
    });
    const { environment } = told[0]!;
    lab.promise('environment', environment.includes(all[0]!.env[0]!) && !environment.includes(marker), {
      promised: `${kind} hooks have the variables of config.json, and none of their caller`,
      seen: quote(environment.trim()),
      look: 'the option env, and the third argument of execve',
    });
  }

  for (const kind of [random.pick(['createRuntime', 'prestart']), 'createContainer']) {
    const { told, ran } = await run(kind, [hook('first'), hook('fails'), hook('third')]);
    lab.promise('first-failure', names(told) === 'first fails' && ran.code === 1, {
      promised: `when a ${kind} hook fails, no other one runs, and the program exits with 1`,
      seen: `${names(told)} ran; ${ending(ran)}`,
      look: "the exit code of each hook: a failed hook ends the box's creation",
    });
  }
  const { told, ran } = await run('poststop', [hook('fails'), hook('second')]);
  lab.promise('poststop', names(told) === 'fails second' && ran.code === 0, {
    promised: 'when a poststop hook fails, the others run all the same, and the program exits with 0',
    seen: `${names(told)} ran; ${ending(ran)}`,
    look: 'the box has gone already: there is nothing that could be stopped or undone',
  });
  const slow = { path: '/bin/sh', args: ['sh', '-c', 'sleep 3'], timeout: 1 };
  const late = await run('createRuntime', [slow, hook('second')]);
  lab.promise('timeout', late.told.length === 0 && late.ran.code === 1, {
    promised:
      'a createRuntime hook that runs for longer than its timeout of 1 second is killed, and has failed',
    seen: `${names(late.told)} ran after it; ${ending(late.ran)}`,
    look: 'timeout, in seconds; spawnSync takes milliseconds',
  });
}
