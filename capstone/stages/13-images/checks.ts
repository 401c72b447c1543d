import { does } from '../../../learn/capstone/container.ts';
import { kitTool } from '../../../learn/capstone/kit.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [image, kept, gone, value, directory] = Array.from({ length: 5 }, () => random.word()) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const layer = `/tmp/${random.word()}`;
    const config = {
      Env: ['PATH=/bin', `ANSWER=${value}`],
      Cmd: ['sh', '-c', `echo $ANSWER $(pwd) $(cat /${kept})`],
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
    lab.promise('config', ran.stdout === `${value} /${directory} two\n`, {
      promised: `an image from load -i FILE runs with its own command, environment and directory, and prints ${value} /${directory} two`,
      seen: `${ending(ran)}; ${ran.stderr.trim()}`,
      look: 'Cmd, Env and WorkingDir in the config; the layers in the order of the manifest',
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
    const names = await lab.command(['tar', '-tf', file]);
    lab.promise('save', names.stdout.includes('manifest.json'), {
      promised: `save -o FILE ${image} writes an archive with a manifest.json`,
      seen: ending(names),
      look: 'the form in which busybox.tar was given to you',
    });
  },
};
