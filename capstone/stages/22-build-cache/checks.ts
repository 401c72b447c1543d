import { does } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  timeLimit: 90_000,
  async check(lab) {
    const { random } = lab;
    const [image, context] = [random.word(), `/tmp/${random.word()}`];
    const write = (file: string, text: string) =>
      lab.command(['sh', '-c', 'mkdir -p $1; printf "%s\\n" "$3" > "$1/$2"', 'sh', context, file, text]);
    // Each run of a step leaves other bytes: who has run again can be told from the image.
    const draw = (to: string): string => `RUN head -c 16 /dev/urandom | md5sum > /${to}`;
    const dockerfile = (last: string): string =>
      `FROM busybox\n${draw('one')}\nCOPY file /file\n${draw('two')}\nRUN echo ${last} > /last\n`;
    const build = async (): Promise<string[]> => {
      await does(lab, 'build', '-t', image, context);
      const ran = await lab.run(['run', image, 'cat', '/one', '/two', '/file', '/last']);
      lab.promise('builds', ran.code === 0, {
        promised: 'the image has the files of all steps',
        seen: ending(ran),
        look: 'stage 21',
      });
      return ran.stdout.trim().split('\n');
    };
    const [text, changed, last] = [random.word(), random.word(), random.word()];
    await write('file', text);
    await write('Dockerfile', dockerfile(last));
    const first = await build();
    const second = await build();
    lab.promise('cached', first[0] === second[0] && first[1] === second[1], {
      promised: 'a second build of the same directory runs no step again',
      seen: 'a step ran again, and left other bytes',
      look: 'a key for each step: the image before it, and the text of the instruction',
    });
    await lab.command(['touch', '-d', '2020-01-01', `${context}/file`]);
    const touched = await build();
    lab.promise('touched', touched[1] === first[1], {
      promised: 'a file with another time, and the same content, changes nothing',
      seen: 'the step after COPY ran again',
      look: 'the digest of the content, and not the time',
    });
    await write('file', changed);
    const third = await build();
    lab.promise('copy-changed', third[2] === changed && third[1] !== first[1], {
      promised: 'another content of the file: COPY and all steps after it run again',
      seen: third[2] === changed ? 'the step after COPY came from the cache' : 'the image has the old file',
      look: "the content of what is copied belongs to the step's key",
    });
    lab.promise('copy-before', third[0] === first[0], {
      promised: 'the step before COPY still comes from the cache',
      seen: 'it ran again',
      look: 'is the whole context part of the key of every step?',
    });
    const later = random.word();
    await write('Dockerfile', dockerfile(later));
    const fourth = await build();
    lab.promise('text-changed', fourth[3] === later && fourth[1] === third[1], {
      promised: 'another text in the last step runs the last step again, and no other',
      seen: fourth[3] === later ? 'an earlier step ran again' : 'the image has the old text',
      look: 'the text of the instruction belongs to its key, not the whole Dockerfile',
    });
  },
};
