// Dockerfiles: instructions put together by chance, some of them damaged. None that runs a program: they take too long.
import { tarOf } from '../../mini-docker/images/testing/archives.ts';
import { checkAnswer, daemonCases, type Fuzzer } from './fuzzer.ts';
import { damaged, type Random } from './random.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are the shell's, not ours
const LINES = [
  'FROM busybox',
  'FROM scratch AS two',
  'FROM two',
  'FROM --platform=linux/arm64 busybox',
  'ARG a=1',
  'ARG a=${a:-$a}',
  'ENV a=1 b="x y" c=$a',
  'ENV x ${a//*1*/${b%y}}',
  'LABEL a=b "c d"=${x:+$y}',
  'COPY . /',
  'COPY f* [a-z]/',
  'COPY --chown=1:1 --chmod=644 file /x/',
  'COPY --from=two / /two',
  'COPY --from=nothing / /',
  'ADD file /etc/passwd',
  'ADD a/b /dev/null',
  'COPY <<END /here\n$a ${b:?no}\nEND',
  'WORKDIR ../../x',
  'WORKDIR $a',
  'USER nobody:nobody',
  'VOLUME ["/data", ""]',
  'EXPOSE 80 443/udp 1-70000',
  'CMD ["sh", "-c"',
  'CMD echo $a',
  'ENTRYPOINT ["\\u0000"]',
  'SHELL ["/bin/sh", "-c"]',
  'HEALTHCHECK --interval=1ns --retries=99 CMD true',
  'HEALTHCHECK NONE',
  'ONBUILD COPY . /',
  'ONBUILD ONBUILD FROM x',
  'STOPSIGNAL SIGNOTHING',
  'STOPSIGNAL 9',
  'MAINTAINER x',
  '# escape=`',
  '# syntax=docker/dockerfile:1',
  'UNKNOWN x',
  `COPY ${'n'.repeat(300)} /`,
  `COPY file /${'n/'.repeat(2500)}`,
  `WORKDIR /${'n'.repeat(300)}`,
  `WORKDIR /${'n/'.repeat(2500)}`,
  `ADD --chown=${'n'.repeat(300)} file /`,
  `USER ${'n'.repeat(5000)}`,
  '\\',
  '',
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are the shell's, not ours

function dockerfile(random: Random): Buffer {
  const lines = Array.from({ length: 1 + random.integer(8) }, () => random.pick(LINES));
  if (random.chance(0.8)) lines.unshift(random.pick(['FROM busybox', 'FROM scratch']));
  const text = Buffer.from(lines.join(random.chance(0.9) ? '\n' : '\\\n'));
  return random.chance(0.7) ? text : damaged(text, random);
}

export const fuzzDockerfiles: Fuzzer = options =>
  daemonCases(options, {
    async one({ random, send, finding }) {
      const text = dockerfile(random);
      const context = tarOf(
        { path: 'Dockerfile', content: text },
        { path: 'file', content: 'x' },
        { path: 'a', type: 'directory' },
        { path: 'a/b', content: 'y' },
        { path: 'link', type: 'symlink', linkname: '../../../etc' },
        { path: '\udcff\udcfe', content: 'bytes' },
        ...(random.chance(0.3)
          ? [{ path: '.dockerignore', content: damaged(Buffer.from('**/b\n!a\n[f]*\n'), random) }]
          : []),
      );
      const query = random.pick([
        '',
        '&target=two',
        '&nocache=1',
        '&buildargs={"a":"2"}',
        '&labels={"a":null}',
      ]);
      const answer = await send('POST', `/build?t=fuzz${encodeURI(query)}`, context);
      if (answer !== undefined) checkAnswer(answer, JSON.stringify(text.toString()), finding);
      await send('DELETE', '/images/fuzz?force=1');
      if (random.chance(0.05)) {
        await send('POST', '/images/prune?filters={"dangling":["true"]}');
        await send('POST', '/build/prune?all=1');
      }
    },
  });
