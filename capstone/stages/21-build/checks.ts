import { does } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  timeLimit: 60_000,
  async check(lab) {
    const { random } = lab;
    const [image, text, value, directory, secret] = Array.from({ length: 5 }, () => random.word()) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const context = `/tmp/${random.word()}`;
    const dockerfile = `FROM busybox
# ${secret}
ENV WORD=${value}
WORKDIR /${directory}
COPY file copied
COPY tree /tree/
RUN echo $WORD > made && \\
    cat copied >> made
CMD ["sh", "-c", "cat made; pwd"]
`;
    await lab.command([
      ...[
        'sh',
        '-ec',
        'mkdir -p $1/tree/deep; echo $2 > $1/file; echo $2 > $1/tree/deep/leaf; printf %s "$3" > $1/Dockerfile',
        'sh',
      ],
      context,
      text,
      dockerfile,
    ]);
    await does(lab, 'build', '-t', image, context);
    const ran = await lab.run(['run', image]);
    lab.promise('result', ran.stdout === `${value}\n${text}\n/${directory}\n`, {
      promised:
        'build -t IMAGE DIRECTORY executes FROM, ENV, WORKDIR, COPY, RUN and CMD: the image prints what RUN has made, and its directory',
      seen: `${ending(ran)}; ${ran.stderr.trim()}`,
      look: 'each instruction makes a new image out of the one before',
    });
    const copied = await lab.run(['run', image, 'cat', '/tree/deep/leaf']);
    lab.promise('copy-directory', copied.stdout === `${text}\n`, {
      promised: 'COPY of a directory copies what is in it, with its subdirectories',
      seen: ending(copied),
      look: 'COPY tree /tree/ puts the contents of tree there, not tree itself',
    });
    const bad = `/tmp/${random.word()}`;
    await lab.command([
      ...['sh', '-c', 'mkdir $1; printf "FROM busybox\\nRUN exit 7\\n" > $1/Dockerfile', 'sh'],
      bad,
    ]);
    const failed = await lab.run(['build', '-t', `${image}-bad`, bad]);
    const listed = await lab.run(['images']);
    lab.promise('failure', failed.code !== 0 && !listed.stdout.includes(`${image}-bad`), {
      promised: 'when RUN fails, so does build, and there is no image',
      seen: failed.code === 0 ? 'build exited with 0' : 'the image is there',
      look: 'the exit code of the container',
    });
    const outside = `/tmp/${random.word()}`;
    await lab.command([
      ...[
        'sh',
        '-c',
        'mkdir $1; echo $2 > /tmp/$2; printf "FROM busybox\\nCOPY ../$2 /x\\n" > $1/Dockerfile',
        'sh',
      ],
      outside,
      secret,
    ]);
    const leaked = await lab.run(['build', '-t', `${image}-out`, outside]);
    lab.promise('context', leaked.code !== 0, {
      promised: 'COPY ../FILE does not leave the context: build fails',
      seen: 'it was copied',
      look: 'paths are resolved below the directory, as after a chroot',
    });
    const linked = `/tmp/${random.word()}`;
    const follow =
      'mkdir $1; ln -s /tmp/$2 $1/link; printf "FROM busybox\\nCOPY link /x\\nCMD [\\"cat\\", \\"/x\\"]\\n" > $1/Dockerfile';
    await lab.command(['sh', '-c', follow, 'sh', linked, secret]);
    const built = await lab.run(['build', '-t', `${image}-link`, linked]);
    const followed = built.code === 0 ? await lab.run(['run', `${image}-link`]) : built;
    lab.promise('links', !followed.stdout.includes(`${secret}\n`), {
      promised: 'COPY of a symbolic link to a file of the machine does not bring that file into the image',
      seen: `the image has the content of /tmp/${secret}`,
      look: 'a link is resolved below the directory, or copied as a link',
    });
    const stages = `/tmp/${random.word()}`;
    const two = `FROM busybox AS first\nRUN echo ${text} > /made; echo x > /left\nFROM busybox\nCOPY --from=first /made /taken\n`;
    await lab.command([...['sh', '-c', 'mkdir $1; printf %s "$2" > $1/Dockerfile', 'sh'], stages, two]);
    await does(lab, 'build', '-t', `${image}-two`, stages);
    const taken = await lab.run(['run', `${image}-two`, 'sh', '-c', 'cat /taken; ls /left']);
    lab.promise('stages', taken.stdout === `${text}\n`, {
      promised: 'COPY --from=first takes a file from an earlier stage, and nothing else of it',
      seen: ending(taken),
      look: 'a second FROM begins a new image; the names of stages',
    });
  },
};
