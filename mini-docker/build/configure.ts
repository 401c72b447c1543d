// Instructions that change only an image's configuration, not its files: pure. `commit --change` takes them
// too.
import { posix } from 'node:path';
import type { CommandForm, Instruction } from '../formats/dockerfile/instruction.ts';
import { type Expansion, expand, expandWords } from '../formats/dockerfile/words.ts';
import type { ProcessDefaults } from '../formats/oci/image-config.ts';
import { SIG } from '../linux/constants.ts';
import { BuildError } from './errors.ts';
import { assignment } from './variables.ts';

const DEFAULT_SHELL = ['/bin/sh', '-c'];

export interface Configured {
  config: ProcessDefaults;
  /** The instruction as the history words it: 'ENV a=b'. */
  did: string;
}

/**
 * Applies an instruction to a configuration.
 * @param ownCommand whether this Dockerfile has set CMD: if not, ENTRYPOINT drops the base image's CMD
 * @returns undefined for an instruction of another kind
 * @throws BuildError or DockerfileSyntaxError when the instruction is wrong
 */
export function configure(
  instruction: Instruction,
  options: { config: ProcessDefaults; expansion: Expansion; ownCommand: boolean },
): Configured | undefined {
  const { config, expansion } = options;
  const one = (text: string) => expand(text, expansion);
  switch (instruction.kind) {
    case 'env': {
      const pairs = instruction.pairs.map(([name, value]): [string, string] => [one(name), one(value)]);
      // A variable that is already set keeps its place.
      const Env = [...(config.Env ?? [])];
      for (const [name, value] of pairs) {
        const at = Env.findIndex(each => assignment(each)[0] === name);
        if (at < 0) Env.push(`${name}=${value}`);
        else Env[at] = `${name}=${value}`;
      }
      return done({ ...config, Env }, `ENV ${shown(pairs)}`);
    }
    case 'label': {
      const pairs = instruction.pairs.map(([name, value]): [string, string] => [one(name), one(value)]);
      const Labels = { ...config.Labels, ...Object.fromEntries(pairs) };
      return done({ ...config, Labels }, `LABEL ${shown(pairs)}`);
    }
    case 'workdir': {
      const path = one(instruction.value);
      if (path === '') throw new BuildError('WORKDIR needs a path');
      const WorkingDir = posix.resolve(config.WorkingDir || '/', path);
      return done({ ...config, WorkingDir }, `WORKDIR ${WorkingDir}`);
    }
    case 'user': {
      const User = one(instruction.value);
      if (User === '') throw new BuildError('USER needs a name or a number');
      return done({ ...config, User }, `USER ${User}`);
    }
    case 'stopsignal': {
      const StopSignal = one(instruction.value);
      if (!isSignal(StopSignal)) throw new BuildError(`Invalid signal: ${StopSignal}`);
      return done({ ...config, StopSignal }, `STOPSIGNAL ${StopSignal}`);
    }
    case 'expose': {
      // Sorted, so that their order makes no difference.
      const words = instruction.words.flatMap(word => expandWords(word, expansion));
      const ports = words.flatMap(exposedPorts).sort();
      const ExposedPorts = places([...Object.keys(config.ExposedPorts ?? {}), ...ports]);
      return done({ ...config, ExposedPorts }, `EXPOSE ${ports.join(' ')}`);
    }
    case 'volume': {
      const paths = instruction.words.map(one);
      if (paths.includes('')) throw new BuildError('VOLUME specified can not be an empty string');
      const Volumes = places([...Object.keys(config.Volumes ?? {}), ...paths]);
      return done({ ...config, Volumes }, `VOLUME [${paths.join(' ')}]`);
    }
    case 'cmd': {
      const Cmd = commandWords(instruction.command, config);
      return done({ ...config, Cmd }, `CMD ${JSON.stringify(Cmd)}`);
    }
    case 'entrypoint': {
      const Entrypoint = commandWords(instruction.command, config);
      const next: ProcessDefaults = { ...config, Entrypoint };
      if (!options.ownCommand) delete next.Cmd;
      return done(next, `ENTRYPOINT ${JSON.stringify(Entrypoint)}`);
    }
    case 'shell':
      return done({ ...config, Shell: instruction.words }, `SHELL ${JSON.stringify(instruction.words)}`);
    case 'healthcheck': {
      const Healthcheck = healthcheckOf(instruction.check);
      return done({ ...config, Healthcheck }, `HEALTHCHECK ${JSON.stringify(Healthcheck)}`);
    }
    case 'onbuild':
      return done(
        { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.trigger] },
        `ONBUILD ${instruction.trigger}`,
      );
    default:
      return undefined;
  }
}

/** A set of names, as an image's configuration spells it. */
const places = (names: string[]): Record<string, Record<string, never>> =>
  Object.fromEntries(names.sort().map(name => [name, {}]));

const done = (config: ProcessDefaults, did: string): Configured => ({ config, did });

const shown = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, value]) => `${name}=${value}`).join(' ');

/** The words of a command; the shell form is run by the image's shell. */
export function commandWords(command: CommandForm, config: ProcessDefaults): string[] {
  if (command.form === 'exec') return command.words;
  return [...(config.Shell?.length ? config.Shell : DEFAULT_SHELL), command.text];
}

/** The words that RUN executes: its own, else the image's. @throws BuildError when there are none */
export function runWords(command: CommandForm, config: ProcessDefaults): string[] {
  const { Entrypoint, Cmd } = config;
  const found = [commandWords(command, config), Entrypoint, Cmd].find(words => words?.length);
  if (!found) throw new BuildError('No command specified');
  return found;
}

function healthcheckOf({
  command,
  interval,
  timeout,
  startPeriod,
  startInterval,
  retries,
}: Extract<Instruction, { kind: 'healthcheck' }>['check']): NonNullable<ProcessDefaults['Healthcheck']> {
  if (command === undefined) return { Test: ['NONE'] };
  return {
    Test: command.form === 'shell' ? ['CMD-SHELL', command.text] : ['CMD', ...command.words],
    ...(interval === undefined ? {} : { Interval: interval }),
    ...(timeout === undefined ? {} : { Timeout: timeout }),
    ...(startPeriod === undefined ? {} : { StartPeriod: startPeriod }),
    ...(startInterval === undefined ? {} : { StartInterval: startInterval }),
    ...(retries === undefined ? {} : { Retries: retries }),
  };
}

/**
 * '80' → '80/tcp'; '8000-8002/udp' is three ports. A host address and port may precede it, as in `run -p`.
 */
function exposedPorts(text: string): string[] {
  const match = /^(?:[\d.]*:)?(?:[\d-]*:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-z]+))?$/i.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  const protocol = (match?.[3] ?? 'tcp').toLowerCase();
  if (match === null || first > last || last > 65535 || !['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw new BuildError(
      `invalid containerPort: ${text} (it is a port or a range, and tcp, udp or sctp: 8000-8010/udp)`,
    );
  }
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

function isSignal(text: string): boolean {
  const name = text.toUpperCase().replace(/^SIG/, '');
  return (
    /^([1-9]|[1-5]\d|6[0-4])$/.test(text) || Object.hasOwn(SIG, name) || /^RT(MIN|MAX)([+-]\d+)?$/.test(name)
  );
}
