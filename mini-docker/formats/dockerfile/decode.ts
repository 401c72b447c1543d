// Decodes the arguments of each Dockerfile instruction (https://docs.docker.com/reference/dockerfile/).

import { decodeDuration } from '../durations.ts';
import { quietly } from '../quietly.ts';
import { splitAt } from '../split.ts';
import { meant } from '../typo.ts';
import { DockerfileFlagError, DockerfileSyntaxError } from './error.ts';
import type { CommandForm, HealthInstruction, InstructionKind } from './instruction.ts';
import type { Statement } from './lines.ts';
import { splitWords } from './words.ts';

/** `sign` is the escape character. */
type Input = Pick<Statement, 'keyword' | 'rest' | 'documents'> & { sign: string };

/** @throws DockerfileSyntaxError when the instruction is not valid */
export function decodeInstruction(input: Input): InstructionKind {
  const decode = Object.hasOwn(DECODERS, input.keyword) ? DECODERS[input.keyword] : undefined;
  if (decode === undefined) {
    const guess = meant(input.keyword, Object.keys(DECODERS));
    throw new DockerfileSyntaxError(
      `unknown instruction: ${input.keyword}${guess === undefined ? '' : `; did you mean ${guess}?`}`,
    );
  }
  if (input.rest === '') throw new DockerfileSyntaxError(`${input.keyword} requires at least one argument`);
  return decode(input);
}

const DECODERS: Readonly<Record<string, (input: Input) => InstructionKind>> = {
  FROM: from,
  RUN: run,
  COPY: input => copy(input, 'copy'),
  ADD: input => copy(input, 'add'),
  ENV: input => ({ kind: 'env', pairs: pairs(withoutFlags(input)) }),
  LABEL: input => ({ kind: 'label', pairs: pairs(withoutFlags(input)) }),
  ARG: arg,
  WORKDIR: input => ({ kind: 'workdir', value: withoutFlags(input).rest }),
  USER: input => ({ kind: 'user', value: withoutFlags(input).rest }),
  STOPSIGNAL: input => ({ kind: 'stopsignal', value: withoutFlags(input).rest }),
  MAINTAINER: input => ({ kind: 'maintainer', value: withoutFlags(input).rest }),
  EXPOSE: input => ({ kind: 'expose', words: splitWords(withoutFlags(input).rest, input.sign) }),
  VOLUME: volume,
  CMD: input => ({ kind: 'cmd', command: command(withoutFlags(input).rest) }),
  ENTRYPOINT: input => ({ kind: 'entrypoint', command: command(withoutFlags(input).rest) }),
  SHELL: shell,
  HEALTHCHECK: healthcheck,
  ONBUILD: onbuild,
};

function from(input: Input): InstructionKind {
  const { flags, rest } = takeFlags(input, ['platform']);
  const [image, as, name, ...more] = splitWords(rest, input.sign);
  if (
    image === undefined ||
    (as !== undefined && (name === undefined || as.toUpperCase() !== 'AS')) ||
    more.length > 0
  ) {
    throw new DockerfileSyntaxError(
      'FROM takes one image, or an image and a name for the stage: FROM IMAGE [AS NAME]',
    );
  }
  const stage = name?.toLowerCase();
  if (stage !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(stage)) {
    throw new DockerfileSyntaxError(
      `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`,
    );
  }
  const platform = flags.get('platform')?.at(-1);
  return {
    kind: 'from',
    image,
    ...(platform === undefined ? {} : { platform }),
    ...(stage === undefined ? {} : { name: stage }),
  };
}

function run(input: Input): InstructionKind {
  const { flags, rest } = takeFlags(input, ['mount', 'network', 'security']);
  if (rest === '') throw new DockerfileSyntaxError('RUN requires a command');
  const security = flags.get('security')?.at(-1) ?? 'sandbox';
  if (security !== 'sandbox') {
    throw new DockerfileFlagError(
      `RUN --security=${security} is not supported: a build has no more rights than a container`,
    );
  }
  const network = flags.get('network')?.at(-1);
  if (network !== undefined && !['default', 'none', 'host'].includes(network)) {
    throw new DockerfileFlagError(`invalid network for RUN: ${network} (it is default, none or host)`);
  }
  return {
    kind: 'run',
    command: command(rest),
    mounts: flags.get('mount') ?? [],
    ...(network === undefined ? {} : { network }),
    documents: input.documents,
  };
}

function copy(input: Input, kind: 'copy' | 'add'): InstructionKind {
  const { flags, rest } = takeFlags(input, ['chown', 'chmod', 'exclude', 'link', ...OWN_FLAGS[kind]]);
  const words = jsonList(rest) ?? withoutGaps(splitWords(rest, input.sign));
  if (words.length < 2) {
    throw new DockerfileSyntaxError(
      `${input.keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  const toggle = (name: string): boolean | undefined => {
    const value = flags.get(name)?.at(-1);
    if (value === undefined) return undefined;
    if (value !== 'true' && value !== 'false')
      throw new DockerfileSyntaxError(`--${name} is true or false, not ${value}`);
    return value === 'true';
  };
  // Files are copied into a layer of their own anyway, and git repositories are refused.
  for (const name of ['link', 'keep-git-dir']) toggle(name);
  const unpack = toggle('unpack');
  const last = (name: 'from' | 'chown' | 'chmod' | 'checksum') => {
    const value = flags.get(name)?.at(-1);
    return value === undefined ? {} : { [name]: value };
  };
  return {
    kind,
    sources: words.slice(0, -1),
    target: words.at(-1)!,
    ...last('from'),
    ...last('chown'),
    ...last('chmod'),
    ...last('checksum'),
    exclude: flags.get('exclude') ?? [],
    parents: toggle('parents') ?? false,
    ...(unpack === undefined ? {} : { unpack }),
    documents: input.documents,
  };
}

const OWN_FLAGS = { copy: ['from', 'parents'], add: ['checksum', 'keep-git-dir', 'unpack'] };

/** '<< EOF' is one word, as the shell reads it. */
function withoutGaps(words: string[]): string[] {
  return words.flatMap((word, index) => {
    if (/^<<-?$/.test(words[index - 1] ?? '')) return [];
    return [/^<<-?$/.test(word) ? word + (words[index + 1] ?? '') : word];
  });
}

/** 'a=b c="d e"', or the old form 'a rest of the line'. */
function pairs({ keyword, rest, sign }: Input): [string, string][] {
  const words = splitWords(rest, sign);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const value = rest.slice(first.length).trim();
    if (value === '')
      throw new DockerfileSyntaxError(`${keyword} must have two arguments: ${keyword} NAME=VALUE`);
    return [[first, value]];
  }
  return words.map(word => {
    const [name, value] = splitAt(word, '=');
    if (value === undefined) {
      throw new DockerfileSyntaxError(
        `can't find = in ${JSON.stringify(word)}: it must be NAME=VALUE (a value with blanks stands in quotes)`,
      );
    }
    if (name === '') throw new DockerfileSyntaxError(`${keyword} names can not be blank`);
    return [name, value];
  });
}

function arg(input: Input): InstructionKind {
  const words = splitWords(withoutFlags(input).rest, input.sign);
  return {
    kind: 'arg',
    pairs: words.map(word => {
      const pair = splitAt(word, '=');
      if (pair[0] === '') throw new DockerfileSyntaxError('ARG names can not be blank');
      return pair;
    }),
  };
}

function volume(input: Input): InstructionKind {
  const { rest } = withoutFlags(input);
  const words = jsonList(rest) ?? splitWords(rest, input.sign);
  if (words.length === 0 || words.includes(''))
    throw new DockerfileSyntaxError('VOLUME specified can not be an empty string');
  return { kind: 'volume', words };
}

function shell(input: Input): InstructionKind {
  const words = jsonList(withoutFlags(input).rest);
  if (words === undefined || words.length === 0) {
    throw new DockerfileSyntaxError(
      'SHELL requires the arguments to be in JSON form: SHELL ["/bin/sh", "-c"]',
    );
  }
  return { kind: 'shell', words };
}

function healthcheck(input: Input): InstructionKind {
  const durations = ['interval', 'timeout', 'start-period', 'start-interval'] as const;
  const { flags, rest } = takeFlags(input, [...durations, 'retries']);
  const [type = ''] = rest.split(/\s/, 1);
  const behind = rest.slice(type.length).trim();
  const check: HealthInstruction = { command: undefined };
  if (type.toUpperCase() === 'NONE') {
    if (behind !== '' || flags.size > 0)
      throw new DockerfileSyntaxError('HEALTHCHECK NONE takes no arguments');
    return { kind: 'healthcheck', check };
  }
  if (type.toUpperCase() !== 'CMD') {
    throw new DockerfileSyntaxError(`unknown type ${JSON.stringify(type)} of HEALTHCHECK: it is CMD or NONE`);
  }
  if (behind === '') throw new DockerfileSyntaxError('HEALTHCHECK CMD requires a command');
  check.command = command(behind);
  const fields = ['interval', 'timeout', 'startPeriod', 'startInterval'] as const;
  for (const [index, name] of durations.entries()) {
    const text = flags.get(name)?.at(-1);
    if (text !== undefined) check[fields[index]!] = duration(name, text);
  }
  const retries = flags.get('retries')?.at(-1);
  if (retries !== undefined) {
    if (!/^\d{1,9}$/.test(retries) || Number(retries) < 1) {
      throw new DockerfileSyntaxError(`--retries must be at least 1, not ${retries}`);
    }
    check.retries = Number(retries);
  }
  return { kind: 'healthcheck', check };
}

function duration(flag: string, text: string): number {
  let found: number;
  try {
    found = decodeDuration(text);
  } catch (cause) {
    throw new DockerfileSyntaxError(`--${flag}: ${(cause as Error).message}`, { cause });
  }
  // Docker's limit, which the engine has too.
  if (found !== 0 && found < 1_000_000) throw new DockerfileSyntaxError(`--${flag} cannot be less than 1ms`);
  return found;
}

function onbuild(input: Input): InstructionKind {
  const { rest, sign } = withoutFlags(input);
  const [keyword = ''] = rest.split(/\s/, 1);
  const name = keyword.toUpperCase();
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(name)) {
    throw new DockerfileSyntaxError(`${name} isn't allowed as an ONBUILD trigger`);
  }
  // The trigger must be valid now, not only in the build that runs it. As in Docker, an instruction that only
  // another builder may know is stored.
  if (Object.hasOwn(DECODERS, name) || meant(name, Object.keys(DECODERS)) !== undefined) {
    decodeInstruction({
      keyword: name,
      rest: rest.slice(keyword.length).trim(),
      documents: input.documents,
      sign,
    });
  }
  const documents = input.documents.map(each => `\n${each.content}${each.name}`).join('');
  return { kind: 'onbuild', trigger: rest + documents };
}

function command(rest: string): CommandForm {
  const words = jsonList(rest);
  return words === undefined ? { form: 'shell', text: rest } : { form: 'exec', words };
}

/** A JSON list of strings; undefined for text that is no JSON, which is then used unchanged. */
function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  const list = quietly(() => JSON.parse(text) as unknown[]);
  if (list === undefined) return undefined;
  if (list.every(each => typeof each === 'string')) return list;
  throw new DockerfileSyntaxError('when using JSON array syntax, arrays must be comprised of strings only');
}

function withoutFlags(input: Input): Input {
  return { ...input, rest: takeFlags(input, []).rest };
}

/**
 * Flags '--name=value' before the arguments; '--' ends them. The values still contain quotes and variables.
 */
function takeFlags(
  { keyword, rest, sign }: Input,
  allowed: readonly string[],
): { flags: Map<string, string[]>; rest: string } {
  const flags = new Map<string, string[]>();
  let left = rest;
  while (left.startsWith('--')) {
    const word = splitWords(left, sign)[0]!;
    left = left.slice(word.length).trim();
    if (word === '--') break;
    const [name, value = TOGGLES.has(name) ? 'true' : undefined] = splitAt(word.slice(2), '=');
    if (!allowed.includes(name)) throw new DockerfileFlagError(unknownFlag(keyword, name, allowed));
    if (value === undefined)
      throw new DockerfileSyntaxError(`the flag --${name} needs a value: --${name}=VALUE`);
    flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return { flags, rest: left };
}

const TOGGLES = new Set(['link', 'parents', 'keep-git-dir', 'unpack']);

function unknownFlag(keyword: string, name: string, allowed: readonly string[]): string {
  const guess = meant(name, allowed);
  return `unknown flag for ${keyword}: --${name}${guess === undefined ? '' : `; did you mean --${guess}?`}`;
}
