// The checks of exercise 13: layers as archives.
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'recover', title: 'Deleted is not gone', points: 3, file: 'recover.ts', check: checkRecover },
    { id: 'squash', title: 'One layer out of many', points: 5, file: 'squash.ts', check: checkSquash },
  ],
};

/** Packs archives. @param layers each layer's files, by name. @returns the paths of the archives */
async function pack(lab: Lab, layers: readonly Record<string, string>[]): Promise<string[]> {
  const archives = layers.map(() => `/tmp/${lab.random.word()}.tar`);
  const commands = layers.flatMap((files, at) => [
    'rm -rf /tmp/pack && mkdir /tmp/pack && cd /tmp/pack',
    ...Object.entries(files).map(
      ([name, text]) => `mkdir -p $(dirname ${name}) && printf %s '${text}' > ${name}`,
    ),
    `tar -cf ${archives[at]} *`,
  ]);
  const packed = await lab.command(['sh', '-ec', commands.join('\n')]);
  if (packed.code !== 0) throw new Error(`cannot pack the layers: ${packed.stderr}`);
  return archives;
}

async function checkRecover(lab: Lab): Promise<void> {
  const { random } = lab;
  const [directory, name, other] = [random.word(), random.word(), random.word()];
  const path = `${directory}/${name}`;
  const [first, second] = [random.word(), random.word()];
  const layers = await pack(lab, [
    { [path]: first, [`${directory}/${other}`]: other },
    { [path]: second },
    { [`${directory}/.wh.${name}`]: '' },
    { [`${random.word()}/${name}`]: 'elsewhere' },
  ]);
  const told = await lab.run([...layers, path]);
  lab.promise('deleted', told.stdout.includes(first) || told.stdout.includes(second), {
    promised: `it finds a file that the third of four layers deletes: ${path}`,
    seen: ending(told),
    look: 'a mark does nothing to the archive of the layer below',
  });
  lab.promise('topmost', told.stdout === second && told.code === 0, {
    promised: `if two layers contain the file, it prints that of the upper one: ${quote(second)}`,
    seen: ending(told),
    look: 'the layers are given in order, the lowest first',
  });
  const none = await lab.run([...layers, `${directory}/${random.word()}`]);
  lab.promise('none', none.stdout === '' && none.code === 1, {
    promised: 'if no layer contains the file, it prints nothing and exits with 1',
    seen: ending(none),
    look: 'process.exitCode',
  });
}

async function checkSquash(lab: Lab): Promise<void> {
  const { random } = lab;
  const [kept, secret, replaced, deep] = ['k', 's', 'r', 'd'].map(letter => letter + random.word());
  const [old, again, later] = [random.word(), random.word(), random.word()];
  const layers = await pack(lab, [
    {
      [`etc/${kept}`]: kept!,
      [`etc/${secret}`]: secret!,
      [`${replaced}/${old}`]: old,
      [`opt/${deep}/file`]: deep!,
    },
    { [`etc/.wh.${secret}`]: '', [`${replaced}/.wh..wh..opq`]: '', [`${replaced}/${again}`]: again },
    { [`opt/.wh.${deep}`]: '', [`etc/${kept}`]: later },
  ]);
  const out = `/tmp/${random.word()}.tar`;
  const ran = await lab.run([...layers, out]);
  const listed = await lab.command(['tar', '-tf', out]);
  const names = listed.stdout
    .split('\n')
    .map(name => name.replace(/^\.\//, ''))
    .filter(name => name !== '' && !name.endsWith('/'))
    .sort();
  const seen = listed.code === 0 ? `the archive contains ${names.join(', ')}` : ending(ran);
  lab.promise(
    'deleted',
    listed.code === 0 && ![`etc/${secret}`, `opt/${deep}/file`].some(gone => names.includes(gone)),
    {
      promised: `it does not contain what upper layers delete: etc/${secret}, and opt/${deep} with all its content`,
      seen,
      look: '.wh.NAME deletes NAME beside it, be it a file or a whole directory',
    },
  );
  lab.promise('opaque', !names.includes(`${replaced}/${old}`) && names.includes(`${replaced}/${again}`), {
    promised: `the directory ${replaced} contains only what the second layer puts in it: ${again}`,
    seen,
    look: '.wh..wh..opq hides what lower layers have in this directory, but not what its own layer has',
  });
  lab.promise('no-marks', !names.some(name => name.includes('.wh.')), {
    promised: 'it contains no marks, since no layers are below',
    seen,
    look: 'which files of a layer do you unpack?',
  });
  const unpack = `mkdir /tmp/unpacked && tar -C /tmp/unpacked -xf ${out} && cat /tmp/unpacked/etc/${kept}`;
  const { stdout: content } = await lab.command(['sh', '-c', unpack]);
  lab.promise('topmost', content === later, {
    promised: `for a file in two layers it contains that of the upper one: ${quote(later)}`,
    seen: `it contains ${quote(content)}`,
    look: 'in which order do you unpack the layers?',
  });
  await checkReplaced(lab);
}

/** A name may be of another kind in each layer, and a mark may have nothing below it. */
async function checkReplaced(lab: Lab): Promise<void> {
  const { random } = lab;
  const [file, directory, fresh] = ['f', 'd', 'n'].map(letter => letter + random.word());
  const [old, later] = [random.word(), random.word()];
  const layers = await pack(lab, [
    { [`srv/${file}/${old}`]: old, [`srv/${directory}`]: old },
    { [`srv/${file}`]: later, [`srv/${directory}/${later}`]: later },
    { [`${fresh}/.wh..wh..opq`]: '', [`${fresh}/${later}`]: later },
  ]);
  const out = `/tmp/${random.word()}.tar`;
  const ran = await lab.run([...layers, out]);
  const listed = await lab.command(['tar', '-tf', out]);
  lab.promise('works', ran.code === 0 && listed.code === 0, {
    promised:
      'it makes an archive even if a layer replaces a directory with a file, or a file with a directory',
    seen: ending(ran),
    look: 'what does tar do if a file of another kind exists; what does a mark do that refers to nothing below?',
  });
  const names = listed.stdout.split('\n').map(name => name.replace(/^\.\//, ''));
  const wanted = [`srv/${file}`, `srv/${directory}/${later}`, `${fresh}/${later}`];
  lab.promise(
    'replaced',
    wanted.every(name => names.includes(name)) && !names.includes(`srv/${file}/${old}`),
    {
      promised: `srv/${file} was a directory and is a file, srv/${directory} was a file and is a directory`,
      seen: `the archive contains ${names.filter(Boolean).join(', ')}`,
      look: 'first remove a file or directory of the other kind, a directory with all its content',
    },
  );
}
