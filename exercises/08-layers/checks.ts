// What the programs of exercise 8 must do for layers. The checks mount an overlay and look at the result.
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    {
      id: 'forget',
      title: 'Deleted without a mount',
      points: 4,
      file: 'forget.ts',
      check: checkForget,
    },
    {
      id: 'changes',
      title: 'What a layer changes',
      points: 4,
      file: 'changes.ts',
      check: checkChanges,
    },
  ],
};

/** Directories for an overlay. */
interface Layers {
  top: string;
  lower: string;
  upper: string;
}

function layersOf({ random }: Lab): Layers {
  const top = `/tmp/${random.word()}`;
  return { top, lower: `${top}/${random.word()}`, upper: `${top}/${random.word()}` };
}

/** Runs commands in a directory in which the layers are mounted at merged. @returns their output */
async function whileMounted(lab: Lab, { top, lower, upper }: Layers, commands: string): Promise<string> {
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${top}/work`;
  const script = `cd ${top} && mount -t overlay overlay -o ${options} merged && { ${commands}; }; umount ${top}/merged`;
  const { stdout, stderr, code } = await lab.command(['sh', '-c', script]);
  if (code !== 0) throw new Error(`the layers cannot be mounted: ${stderr}`);
  return stdout;
}

async function checkForget(lab: Lab): Promise<void> {
  const { random } = lab;
  const layers = layersOf(lab);
  const directory = `/${random.word()}`;
  const [untouched, changed, stays] = ['a', 'b', 'c'].map(each => `${each}${random.word()}`);
  await lab.command([
    'sh',
    '-c',
    `mkdir -p ${layers.lower}${directory} ${layers.upper} && cd ${layers.top} && mkdir work merged && cd ${layers.lower}${directory} && touch ${untouched} ${changed} ${stays}`,
  ]);
  const ran = await lab.run([layers.upper, `${directory}/${untouched}`]);
  const left = (await whileMounted(lab, layers, `ls -A merged${directory}`)).trim().split('\n');
  lab.promise('is-gone', !left.includes(untouched!), {
    promised: `${directory}/${untouched} no longer exists when the layers are mounted`,
    seen: `${ending(ran)}, and the directory has ${left.join(', ')}`,
    look: 'what overlay itself writes: delete a file in a mounted overlay, and stat the file in upper',
  });
  lab.promise('others-stay', left.join(' ') === `${changed} ${stays}`, {
    promised: `the other files of ${directory} stay, and no new ones appear`,
    seen: `the directory has ${left.join(', ') || 'no files'}`,
    look: 'does the whiteout cover the file, or its directory?',
  });
  await whileMounted(lab, layers, `echo changed > merged${directory}/${changed}`);
  const again = await lab.run([layers.upper, `${directory}/${changed}`]);
  const then = (await whileMounted(lab, layers, `ls -A merged${directory}`)).trim();
  lab.promise('also-changed', then === stays, {
    promised: `${directory}/${changed}, which the box had changed, is gone as well`,
    seen: `${ending(again)}, and the directory has ${then.split('\n').join(', ') || 'no files'}`,
    look: 'upper already has a file of this name: mknod fails with EEXIST',
  });
  const below = await lab.command(['ls', '-A', `${layers.lower}${directory}`]);
  lab.promise(
    'below-untouched',
    below.stdout.trim().split('\n').join(' ') === `${untouched} ${changed} ${stays}`,
    {
      promised: 'the layer below still has all its files',
      seen: quote(below.stdout),
      look: 'the directory that the program writes to',
    },
  );
}

async function checkChanges(lab: Lab): Promise<void> {
  const { random } = lab;
  const layers = layersOf(lab);
  const [old, fresh] = [`/a${random.word()}`, `/b${random.word()}`];
  const [kept, edited, gone, added] = ['c', 'd', 'e', 'f'].map(each => `${each}${random.word()}`);
  await lab.command([
    'sh',
    '-c',
    `mkdir -p ${layers.lower}${old} ${layers.upper} && cd ${layers.top} && mkdir work merged && cd ${layers.lower}${old} && touch ${kept} ${edited} ${gone}`,
  ]);
  await whileMounted(
    lab,
    layers,
    `cd merged && echo more >> .${old}/${edited} && rm .${old}/${gone} && mkdir .${fresh} && touch .${fresh}/${added}; cd ..`,
  );
  const told = await lab.run([layers.lower, layers.upper]);
  const lines = told.stdout.trim().split('\n');
  const expected: [string, string, string, string[]][] = [
    ['deleted', 'D', 'a whiteout: a character device with the number 0:0 in UPPER', [`${old}/${gone}`]],
    ['changed', 'C', 'does the name exist in LOWER?', [old, `${old}/${edited}`]],
    ['added', 'A', 'does the name exist in LOWER?', [fresh, `${fresh}/${added}`]],
  ];
  for (const [check, letter, look, paths] of expected) {
    const wanted = paths.map(path => `${letter} ${path}`);
    lab.promise(
      check,
      wanted.every(line => lines.includes(line)),
      {
        promised: `for ${check} files, it prints ${quote(wanted.join('\n'))}`,
        seen: ending(told),
        look,
      },
    );
  }
  const all = expected.flatMap(([, letter, , paths]) => paths.map(path => `${letter} ${path}`));
  lab.promise('no-others', lines.toSorted().join('\n') === all.toSorted().join('\n'), {
    promised: `it prints each of these ${all.length} once, and nothing else`,
    seen: ending(told),
    look: 'are unchanged files left out, and does each path have one letter?',
  });
}
