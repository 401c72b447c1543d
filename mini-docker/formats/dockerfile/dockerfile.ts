// A Dockerfile, taken apart into stages and instructions. Pure: nothing is looked up and nothing is run.

import { decodeInstruction } from './decode.ts';
import { DockerfileError, DockerfileFlagError, DockerfileSyntaxError } from './error.ts';
import type { Instruction, InstructionOf } from './instruction.ts';
import { type Directives, type Statement, splitStatements } from './lines.ts';

export interface Dockerfile {
  /** As errors call it. */
  file: string;
  directives: Directives;
  /** Before the first FROM: they are known in FROM lines, and in stages that ask for them. */
  globals: InstructionOf<'arg'>[];
  /** At least one. */
  stages: Stage[];
}

export interface Stage {
  index: number;
  /** In lower case. */
  name?: string;
  from: InstructionOf<'from'>;
  instructions: Instruction[];
}

/** Throws DockerfileError. `file` is its name, for errors. */
export function parseDockerfile(text: string, file = 'Dockerfile'): Dockerfile {
  const { directives, statements } = splitStatements(text, file);
  const globals: InstructionOf<'arg'>[] = [];
  const stages: Stage[] = [];
  for (const statement of statements) {
    const instruction = decode(statement, file, directives.escape);
    if (instruction.kind === 'refused' && (stages.length === 0 || statement.keyword === 'FROM')) {
      throw instruction.error;
    }
    const fail = (why: string) =>
      new DockerfileError(why, { file, line: statement.line, text: statement.firstLine });
    if (instruction.kind === 'from') {
      const { name } = instruction;
      if (name !== undefined && stages.some(each => each.name === name)) {
        throw fail(`two stages have the name ${name}`);
      }
      stages.push({
        index: stages.length,
        ...(name === undefined ? {} : { name }),
        from: instruction,
        instructions: [],
      });
    } else if (stages.length > 0) stages.at(-1)!.instructions.push(instruction);
    else if (instruction.kind === 'arg') globals.push(instruction);
    else throw fail(`no build stage in current context: ${statement.keyword} stands before the first FROM`);
  }
  if (stages.length === 0) {
    const why =
      statements.length === 0 ? `the Dockerfile (${file}) cannot be empty` : 'the Dockerfile has no FROM';
    throw new DockerfileError(why, {
      file,
      line: statements.at(-1)?.line ?? 1,
      text: statements.at(-1)?.firstLine ?? '',
    });
  }
  return { file, directives, globals, stages };
}

/** Instructions without stages: those of `commit --change`, and an image's triggers. Throws DockerfileError. */
export function parseInstructions(text: string, file: string, sign = '\\'): Instruction[] {
  return splitStatements(text, file).statements.map(statement => {
    const instruction = decode(statement, file, sign);
    if (instruction.kind === 'refused') throw instruction.error;
    return instruction;
  });
}

function decode(statement: Statement, file: string, sign: string): Instruction {
  const { line, text, firstLine } = statement;
  try {
    return { line, text, firstLine, ...decodeInstruction({ ...statement, sign }) };
  } catch (cause) {
    if (!(cause instanceof DockerfileSyntaxError)) throw cause;
    const error = new DockerfileError(cause.message, { file, line, text: firstLine }, { cause });
    if (cause instanceof DockerfileFlagError) return { line, text, firstLine, kind: 'refused', error };
    throw error;
  }
}
