// Parses a Dockerfile into stages and instructions. Pure: no file is read and no command is run.

import { decodeInstruction } from './decode.ts';
import { DockerfileError, DockerfileFlagError, DockerfileSyntaxError } from './error.ts';
import type { Instruction, InstructionOf } from './instruction.ts';
import { type Directives, type Statement, splitStatements } from './lines.ts';

export interface Dockerfile {
  /** Name of the file, for errors. */
  file: string;
  directives: Directives;
  /** ARG instructions before the first FROM: set in FROM lines, and in stages that declare them again. */
  globals: InstructionOf<'arg'>[];
  /** Stages, at least one. */
  stages: Stage[];
  /** Lines of text for the user, in Docker's words. */
  warnings: string[];
}

export interface Stage {
  index: number;
  /** Name in lower case. */
  name?: string;
  from: InstructionOf<'from'>;
  instructions: Instruction[];
}

/** @param file the name of the file, for errors. @throws DockerfileError when the text is not valid */
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
  return { file, directives, globals, stages, warnings: warningsOf(statements) };
}

function warningsOf(statements: readonly Statement[]): string[] {
  const found = statements.filter(each => each.hasEmptyLine);
  if (found.length === 0) return [];
  const places = found.map(({ text }) => `[WARNING]: Empty continuation line found in:\n    ${text}`);
  return [...places, '[WARNING]: Empty continuation lines will become errors in a future release.'];
}

/**
 * Instructions without stages: `commit --change`, an image's triggers.
 * @throws DockerfileError when one is not valid
 */
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
