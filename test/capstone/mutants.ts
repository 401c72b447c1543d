// Engines with one mistake: mini-docker behind a shell script that breaks one promise. mutants.txt has the scripts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { engines } from './engine.ts';

export interface StageMutant {
  /** The number of the stage that has to fail. */
  stage: number;
  /** The name that lab.promise() is given there. */
  breaks: string;
  /** What the learner believed, or forgot. */
  belief: string;
  /** The engine's command that it is about; any, if undefined. */
  verb: string | undefined;
  /** Shell, which calls the right engine as `engine`. */
  script: string;
}

/** The right engine as a function of the shell. */
const right = readFileSync(join(engines, 'mini-docker/my-docker'), 'utf8').replace(/^#!.*\n/, '');

/**
 * Words for the scripts: `engine` calls the right engine, and `become` passes everything on to it, signals too. `without
 * OPTION` and `without2 OPTION` do so without an option, and without one and its value; `swap FROM TO` with another word,
 * `extra=OPTIONS also` with more options. `proxy PATTERN ANSWER HOST` is a daemon that gives one answer of its own.
 */
const WORDS = `
become() {
${right}}
engine() ( become "$@" )
without() {
  wanted=$1; shift; n=$#
  while [ $n -gt 0 ]; do word=$1; shift; n=$((n-1)); [ "$word" = "$wanted" ] || set -- "$@" "$word"; done
  become "$@"
}
without2() {
  wanted=$1; shift; n=$#
  while [ $n -gt 0 ]; do
    word=$1; shift; n=$((n-1))
    if [ "$word" = "$wanted" ]; then shift; n=$((n-1)); else set -- "$@" "$word"; fi
  done
  become "$@"
}
swap() {
  from=$1 to=$2; shift 2; n=$#
  while [ $n -gt 0 ]; do word=$1; shift; n=$((n-1)); [ "$word" = "$from" ] && word=$to; set -- "$@" "$word"; done
  become "$@"
}
proxy() {
  (become daemon --host unix:///tmp/right.sock &)
  until [ -S /tmp/right.sock ]; do sleep 0.05; done
  exec node -e '
    const net = require("node:net");
    const [pattern, answer, host] = process.argv.slice(1);
    net.createServer({ allowHalfOpen: true }, client => {
      const right = net.connect({ path: "/tmp/right.sock", allowHalfOpen: true });
      for (const each of [client, right]) each.on("error", () => {});
      right.pipe(client);
      client.on("data", data => {
        if (!new RegExp(pattern).test(data)) return right.write(data);
        client.write("HTTP/1.1 " + answer.replaceAll("\\\\r\\\\n", "\\r\\n"));
      }).on("end", () => right.end());
    }).listen(host.slice(7));' "$1" "$2" "$3"
}
also() { verb=$1; shift; become "$verb" $extra "$@"; }
`;

export function scriptOf({ verb, script }: StageMutant): string {
  const only = verb === undefined ? '' : `[ "$1" = ${verb} ] || become "$@"\n`;
  return `#!/bin/sh\n${WORDS}\n${only}${script}\n`;
}

/** Blocks of lines: '7 read-only on run: :ro is advice', and below it the indented script. */
function parse(text: string): StageMutant[] {
  return text
    .split(/^(?=\d)/m)
    .slice(1)
    .map(block => {
      const [head = '', ...lines] = block.trimEnd().split('\n');
      const [, stage, breaks, verb, belief] = /^(\d+) (\S+?)(?: on (\w+))?: (.*)$/.exec(head)!;
      const script = lines.map(line => line.replace(/^ {4}/, '')).join('\n');
      return { stage: Number(stage), breaks: breaks!, verb, belief: belief!, script };
    });
}

export const stageMutants: readonly StageMutant[] = parse(
  readFileSync(join(import.meta.dirname, 'mutants.txt'), 'utf8'),
);
