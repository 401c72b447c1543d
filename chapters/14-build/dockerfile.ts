// Parses a Dockerfile into stages, each with a list of instructions. Executes nothing.
import { Mistake } from '../04-mounts/mistake.ts';

const NAMES = ['FROM', 'RUN', 'COPY', 'ENV', 'WORKDIR', 'CMD'];

export interface Instruction {
  /** Number of its first line, from 1. */
  line: number;
  name: string;
  /** The text after the name, joined into one line. */
  text: string;
}

export interface Stage {
  /** The name after AS; without one, the stage's number, from 0. */
  name: string;
  /** An image, an earlier stage, or scratch. */
  base: string;
  instructions: Instruction[];
}

/** @throws Mistake with the number of the faulty line */
export function parseDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of instructionsIn(text)) {
    if (!NAMES.includes(instruction.name)) {
      throw mistakeIn(
        instruction,
        `there is no instruction ${instruction.name}; there are ${NAMES.join(', ')}`,
      );
    }
    if (instruction.name === 'FROM') {
      const [, base, name] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instruction.text) ?? [];
      if (base === undefined) throw mistakeIn(instruction, 'it is FROM IMAGE, or FROM IMAGE AS NAME');
      stages.push({ name: name ?? `${stages.length}`, base, instructions: [] });
    } else if (stages.length === 0) throw mistakeIn(instruction, 'the first instruction must be FROM');
    else stages.at(-1)!.instructions.push(instruction);
  }
  if (stages.length === 0) throw new Mistake('Dockerfile: it contains no instructions');
  return stages;
}

/** A line that ends in \ continues on the next one; comments and empty lines do not count. */
function instructionsIn(text: string): Instruction[] {
  const found: Instruction[] = [];
  let unfinished: Instruction | undefined;
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const part = line.replace(/\\$/, '');
    if (unfinished !== undefined) unfinished.text = `${unfinished.text} ${part}`.trim();
    else {
      const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(part) ?? [];
      unfinished = { line: at + 1, name: name.toUpperCase(), text: rest.trim() };
      found.push(unfinished);
    }
    if (!line.endsWith('\\')) unfinished = undefined;
  }
  return found;
}

export function mistakeIn({ line, name }: Instruction, what: string): Mistake {
  return new Mistake(`Dockerfile:${line}: ${name}: ${what}`);
}

/** The exec form, '["ls", "-l"]', is taken as it stands; any other text is a command for a shell. */
export function commandIn(text: string): string[] {
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.every(word => typeof word === 'string')) return words;
  } catch {
    // Not JSON, so it is the shell form.
  }
  return ['sh', '-c', text];
}

/** 'A=1 B="two words"' → ['A=1', 'B=two words'] */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g)].map(
    ([, name, quoted, bare]) => `${name}=${quoted ?? bare}`,
  );
}

/** Replaces $NAME and ${NAME} by the values set with ENV. */
export function substitute(text: string, variables: readonly string[]): string {
  const values = new Map(variables.map(line => line.split(/=(.*)/s) as [string, string]));
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, bare) => values.get(braced ?? bare) ?? '');
}
