// Errors in a Dockerfile, with their positions.

import { type ErrorDetails, FormatError } from '../errors.ts';

export class DockerfileError extends FormatError {
  override name = 'DockerfileError';

  /** `line` is counted from 1; `text` is the line itself, as it is shown below the message. */
  constructor(why: string, place: { file: string; line: number; text: string }, details?: ErrorDetails) {
    const { file, line, text } = place;
    // Docker's words, which scripts search for.
    const where = file === 'Dockerfile' ? line : `${line} of ${file}`;
    super(
      `dockerfile parse error on line ${where}: ${why}\n${String(line).padStart(4)} | ${text.trimEnd()}`,
      details,
    );
  }
}

/** An error in words or variables, which becomes a DockerfileError once the line is known. */
export class DockerfileSyntaxError extends FormatError {
  override name = 'DockerfileSyntaxError';
}

/** An unknown or unsupported flag: an error only when the build needs the instruction. */
export class DockerfileFlagError extends DockerfileSyntaxError {
  override name = 'DockerfileFlagError';
}
