// Errors of an instruction name its place in the Dockerfile.

import { DockerfileError, DockerfileSyntaxError } from '../formats/dockerfile/error.ts';
import type { Instruction } from '../formats/dockerfile/instruction.ts';

/** Adds the place to an error about a variable or a quote; other errors stay as they are. */
export function placed(cause: unknown, { line, firstLine }: Instruction, file: string): unknown {
  if (!(cause instanceof DockerfileSyntaxError)) return cause;
  return new DockerfileError(cause.message, { file, line, text: firstLine }, { cause });
}

/** Does the work of an instruction. @throws its errors with their place */
export async function at<T>(instruction: Instruction, file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw placed(cause, instruction, file);
  }
}

/** The same for work that waits for nothing. */
export function atOnce<T>(instruction: Instruction, file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw placed(cause, instruction, file);
  }
}
