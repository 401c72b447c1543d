import { does } from '../../../learn/capstone/container.ts';
import { kitTool } from '../../../learn/capstone/kit.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending, type Lab, quote } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [image, kept, gone, value, directory, extra] = Array.from({ length: 6 }, () => random.word()) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const layer = `/tmp/${random.word()}`;
    const config = {
      Env: ['PATH=/bin', `ANSWER=${value}`],
      Entrypoint: ['env', `EXTRA=${extra}`],
      Cmd: ['sh', '-c', `echo $ANSWER $EXTRA $(pwd) $(cat /${kept})`],
      WorkingDir: `/${directory}`,
    };
    const made = await lab.command([
      'sh',
      '-ec',
      `mkdir -p ${layer}/1/${directory} ${layer}/2 ${layer}/3
       echo one > ${layer}/1/${kept}; echo one > ${layer}/1/${gone}
       echo two > ${layer}/2/${kept}; touch ${layer}/3/.wh.${gone}
       node --no-warnings ${kitTool('make-image.ts')} ${layer}/image.tar ${image} '${JSON.stringify(config)}' \\
         /capstone/images/busybox ${layer}/1 ${layer}/2 ${layer}/3`,
    ]);
    if (made.code !== 0) throw new Error(`cannot make an image: ${made.stderr}`);
    await does(lab, 'load', '-i', `${layer}/image.tar`);
    const ran = await lab.run(['run', image]);
    lab.promise('config', ran.stdout === `${value} ${extra} /${directory} two\n`, {
      promised: `an image from load -i FILE runs with its own command, environment and directory, and prints ${value} ${extra} /${directory} two`,
      seen: `${ending(ran)}; ${ran.stderr.trim()}`,
      look: 'Entrypoint and Cmd are one command; Env and WorkingDir; the layers in the order of the manifest',
    });
    const listed = await lab.run([
      'run',
      image,
      'sh',
      '-c',
      `cat /${kept}; ls /${gone} || echo gone; ls -a / | grep -c wh`,
    ]);
    lab.promise('layers', listed.stdout === 'two\ngone\n0\n', {
      promised: `the upper layers win: /${kept} is that of layer 2, and /${gone} was deleted by layer 3`,
      seen: ending(listed),
      look: 'a whiteout .wh.NAME deletes NAME; for overlay it is a character device 0:0',
    });
    const images = await lab.run(['images']);
    lab.promise('images', images.stdout.includes(image), {
      promised: `images lists ${image}`,
      seen: ending(images),
      look: 'a record of the names',
    });
    const unknown = random.word();
    const none = await lab.run(['run', '--network', 'none', `${unknown}:${unknown}`, 'true'], {
      timeout: 15_000,
    });
    lab.promise('unknown', none.code === 125 && none.stderr.trim() !== '', {
      promised: `an image that does not exist (${unknown}) gives exit code 125, and a message`,
      seen: ending(none),
      look: '125 is for mistakes of the engine, as in Docker',
    });
    const file = `/tmp/${random.word()}.tar`;
    await does(lab, 'save', '-o', file, image);
    const names = (await lab.command(['tar', '-tf', file])).stdout.split('\n');
    const manifest = await lab.command(['tar', '-xOf', file, 'manifest.json']);
    const [saved] = JSON.parse(manifest.stdout || '[]') as { Config: string; Layers: string[] }[];
    const absent = [saved?.Config, ...(saved?.Layers ?? [])].find(path => !names.includes(path ?? ''));
    lab.promise('save', saved !== undefined && saved.Layers.length === 4 && absent === undefined, {
      promised: `save -o FILE ${image} writes an archive whose manifest.json names a config and four layers, which are in it`,
      seen: absent === undefined ? `manifest.json is ${quote(manifest.stdout)}` : `${absent} is not in it`,
      look: 'the form in which busybox.tar was given to you',
    });
    await escapes(lab, layer);
  },
};

/** Archives of a stranger: a name, or a link and a name behind it, that lead out of where layers are unpacked. */
async function escapes(lab: Lab, directory: string): Promise<void> {
  const [word, outside] = [lab.random.word(), `/tmp/${lab.random.word()}`];
  const made = await lab.command([
    ...['sh', '-ec'],
    `mkdir -p ${outside} ${directory}/bad ${directory}/link; cd ${directory}/bad; echo bad > ${word}
     tar -P --transform 's,^,../../../../../../../../../..${outside}/up-,' -cf ../up.tar ${word}
     tar --transform 's,^,way/,' -cf ../through.tar ${word}; ln -s ${outside} ../link/way
     for trap in up.tar "link ${directory}/through.tar"; do
       node --no-warnings ${kitTool('make-image.ts')} ${directory}/\${trap%% *}-image.tar ${word} '{"Cmd":["true"]}' \
         /capstone/images/busybox ${directory}/$trap
     done`,
  ]);
  if (made.code !== 0) throw new Error(`cannot make an image: ${made.stderr}`);
  for (const trap of ['up.tar', 'link']) {
    await lab.run(['load', '-i', `${directory}/${trap}-image.tar`]);
    await lab.run(['run', '--network', 'none', word, 'true']);
    const left = await lab.command(['ls', outside]);
    lab.promise('inside-only', left.stdout === '', {
      promised:
        trap === 'link'
          ? 'a layer does not write through a symbolic link of the layer below it'
          : 'a name with ../ in a layer does not leave your directory',
      seen: `there is ${outside}/${left.stdout.trim()} on the machine`,
      look: 'openat2(2) with RESOLVE_IN_ROOT, or unpack after a chroot',
    });
  }
}
