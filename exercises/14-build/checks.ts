// The checks of exercise 14: a build cache, and stages.
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'key', title: 'When is it the same?', points: 4, file: 'key.ts', check: checkKey },
    {
      id: 'stages',
      title: 'Only the stages that are needed',
      points: 4,
      file: 'stages.ts',
      check: checkStages,
    },
  ],
};

async function checkKey(lab: Lab): Promise<void> {
  const { random } = lab;
  const [one, two, three] = [random.word(), random.word(), random.word()];
  const [parent, text] = [`sha256:${random.word()}`, `COPY ${one} ${two} /${random.word()}`];
  const key = async (
    arrange: string,
    args = [parent, text, one, two],
  ): Promise<{ key: string; seen: string }> => {
    await lab.command(['sh', '-ec', `mkdir -p /tmp/files; cd /tmp/files; ${arrange}`]);
    // The files lie in one directory, whose path is put before their names.
    const ran = await lab.run(args.map(arg => ([one, two, three].includes(arg) ? `/tmp/files/${arg}` : arg)));
    return { key: ran.stdout.trim(), seen: ending(ran) };
  };
  const first = await key(
    `printf first > ${one}; printf second > ${two}; chmod 644 ${one} ${two}; touch -d 2001-01-01 ${one} ${two}`,
  );
  lab.promise('a-key', /^[0-9a-f]{64}$/.test(first.key), {
    promised: 'it prints 64 hex digits',
    seen: first.seen,
    look: 'hash.digest',
  });
  const later = await key(`touch -d 2024-${random.integer(10, 12)}-01 ${one}`);
  lab.promise('times', later.key === first.key, {
    promised: 'the key stays the same if a file has only been touched',
    seen: 'the key differs',
    look: 'which fields of stat go into the key?',
  });
  const others: [string, { key: string }, string, string][] = [
    ['parent', await key(':', [`${parent}0`, text, one, two]), 'another parent image', 'the first argument'],
    [
      'instruction',
      await key(':', [parent, `${text}0`, one, two]),
      'another instruction',
      'the second argument',
    ],
    ['mode', await key(`chmod 7${random.integer(1, 5)}0 ${one}`), 'another mode', 'statSync(file).mode'],
    [
      'content',
      // As before, except that a letter has moved from the end of one file to the start of the other.
      await key(`chmod 644 ${one}; printf firs > ${one}; printf tsecond > ${two}`),
      'other content of the files',
      'do you hash the content, or only its size; and where does one file end and the next begin?',
    ],
    [
      'name',
      await key(`printf first > ${one}; printf second > ${two}; mv ${two} ${three}`, [
        parent,
        text,
        one,
        three,
      ]),
      'another file name',
      'COPY . /x has the same text whatever the names of the files',
    ],
  ];
  for (const [check, other, what, look] of others) {
    lab.promise(check, other.key !== first.key, {
      promised: `${what} gives another key`,
      seen: 'the key is the same, so the cache would return the old result',
      look,
    });
  }
}

async function checkStages(lab: Lab): Promise<void> {
  const { random } = lab;
  const [base, tools, lonely, compile, test, last] = ['a', 'b', 'c', 'd', 'e', 'f'].map(
    letter => letter + random.word(),
  );
  const dockerfile = [
    `FROM busybox AS ${base}`,
    `FROM ${base} AS ${lonely}`,
    `RUN echo --from=${tools}`,
    `FROM busybox AS ${tools}`,
    `FROM ${base} AS ${compile}`,
    // Refers to the stage by its number.
    'COPY --from=2 /bin/cc /bin/',
    `FROM ${compile} AS ${test}`,
    `COPY --from=${lonely} /x /x`,
    `FROM scratch AS ${last}`,
    `COPY --from=${compile} /out /out`,
    'COPY --from=nginx /etc/nginx /etc/nginx',
  ];
  const file = `/tmp/${random.word()}`;
  await lab.command([
    'sh',
    '-c',
    `printf '%s\\n' ${dockerfile.map(line => `'${line}'`).join(' ')} > ${file}`,
  ]);
  const ask = async (target: string): Promise<{ names: string[]; seen: string }> => {
    const ran = await lab.run([file, target]);
    return { names: ran.stdout.split('\n').filter(Boolean), seen: ending(ran) };
  };
  const stands = await ask(lonely!);
  lab.promise('from', stands.names.includes(base!), {
    promised: `${lonely} is based on ${base}, so it needs it`,
    seen: stands.seen,
    look: 'stage.base',
  });
  lab.promise('run-is-not-copy', !stands.names.includes(tools!), {
    promised: `${lonely} does not need ${tools}: only the text of a RUN mentions it`,
    seen: stands.seen,
    look: "the instruction's name",
  });
  const whole = await ask(last!);
  lab.promise('copy', whole.names.includes(compile!), {
    promised: `${last} copies from ${compile}, so it needs it`,
    seen: whole.seen,
    look: 'COPY --from=',
  });
  lab.promise(
    'of-the-needed',
    [base, tools].every(name => whole.names.includes(name!)),
    {
      promised: `${last} needs what ${compile} needs: ${base} and ${tools}`,
      seen: whole.seen,
      look: 'a needed stage needs other stages in turn',
    },
  );
  lab.promise('no-other', whole.names.join() === [base, tools, compile, last].join(), {
    promised: `it prints exactly the needed stages, in the order of the file: ${[base, tools, compile, last].join(', ')}`,
    seen: whole.seen,
    look: `no needed stage needs ${lonely} or ${test}`,
  });
}
