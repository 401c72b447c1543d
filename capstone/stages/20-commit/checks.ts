import { does } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [name, image, added, text] = [random.word(), random.word(), random.word(), random.word()];
    await does(
      lab,
      'run',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      `echo ${text} > /etc/${added}; echo ${text} >> /etc/passwd; rm /etc/group`,
    );
    const diff = await lab.run(['diff', name]);
    const lines = diff.stdout.trim().split('\n');
    for (const [check, line] of [
      ['diff-added', `A /etc/${added}`],
      ['diff-changed', 'C /etc/passwd'],
      ['diff-deleted', 'D /etc/group'],
    ] as const) {
      lab.promise(check, lines.includes(line), {
        promised: `diff ${name} prints ${line}`,
        seen: ending(diff),
        look: 'walk the upperdir: new or changed? And a character device 0:0 is a deletion',
      });
    }
    lab.promise(
      'diff-only',
      lines.every(line =>
        /^(?:C \/etc|A \/etc\/\w+|[CD] \/etc\/\w+|[AC] \/(?:root|dev|proc|sys|run|tmp)\b.*)$/.test(line),
      ),
      {
        promised: 'diff prints nothing else than changes',
        seen: ending(diff),
        look: 'what the engine itself makes (mount points) is not worth a word',
      },
    );
    await does(lab, 'commit', name, image);
    const ran = await lab.run([
      'run',
      image,
      'sh',
      '-c',
      `cat /etc/${added}; grep -c ${text} /etc/passwd; ls /etc/group`,
    ]);
    lab.promise('commit', ran.stdout === `${text}\n1\n`, {
      promised: `commit ${name} ${image} makes an image with the additions, the changes and the deletions`,
      seen: ending(ran),
      look: 'a new layer on top of those of the image; a whiteout for each deletion',
    });
    const base = await lab.run(['run', 'busybox', 'ls', '/etc/group', `/etc/${added}`]);
    lab.promise('base', base.stdout === '/etc/group\n', {
      promised: 'busybox itself stays as it was',
      seen: ending(base),
      look: 'layers are never changed',
    });
    await does(
      lab,
      'run',
      '--name',
      `${name}2`,
      image,
      'sh',
      '-c',
      `rm /etc/${added}; echo ${text} > /${text}`,
    );
    await does(lab, 'commit', `${name}2`, `${image}2`);
    const again = await lab.run([
      'run',
      `${image}2`,
      'sh',
      '-c',
      `ls /etc/${added} 2>/dev/null; cat /${text}`,
    ]);
    lab.promise('twice', again.stdout === `${text}\n`, {
      promised: 'a commit of a container of that image adds one more layer',
      seen: ending(again),
      look: 'the list of layers grows',
    });
  },
};
