// What is wrong in a Dockerfile, and where.

export class DockerfileError extends Error {
  override readonly name = 'DockerfileError';
  /** Counted from 1. */
  readonly line: number;

  /** `text` is the line itself, as it is shown below the message. */
  constructor(why: string, place: { file: string; line: number; text: string }, options?: ErrorOptions) {
    const { file, line, text } = place;
    super(`${file}:${line}: ${why}\n${String(line).padStart(4)} | ${text.trimEnd()}`, options);
    this.line = line;
  }
}

/** Of words and variables: it becomes a DockerfileError where the line is known. */
export class SyntaxProblem extends Error {
  override readonly name = 'SyntaxProblem';
}
