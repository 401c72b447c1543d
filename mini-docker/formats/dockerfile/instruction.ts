// One parsed instruction of a Dockerfile. It still contains variables, whose values are known only when it is
// run.
import type { DockerfileError } from './error.ts';
import type { HereDocument } from './lines.ts';

/**
 * A command: the shell form is one string that a shell interprets, the exec form a list that is run without a
 * shell.
 */
export type CommandForm = { form: 'shell'; text: string } | { form: 'exec'; words: string[] };

interface Common {
  /** Line number, counted from 1. */
  line: number;
  /** The statement on one line, as in the output and the image's history. */
  text: string;
  /** The unchanged first line, for errors. */
  firstLine: string;
}

export type Instruction = Common & InstructionKind;

export type InstructionKind =
  | { kind: 'from'; image: string; platform?: string; name?: string }
  | { kind: 'run'; command: CommandForm; mounts: string[]; network?: string; documents: HereDocument[] }
  | CopyInstruction
  | { kind: 'env' | 'label'; pairs: [name: string, value: string][] }
  | { kind: 'arg'; pairs: [name: string, value: string | undefined][] }
  | { kind: 'workdir' | 'user' | 'stopsignal' | 'maintainer'; value: string }
  | { kind: 'expose' | 'volume'; words: string[] }
  | { kind: 'cmd' | 'entrypoint'; command: CommandForm }
  | { kind: 'shell'; words: string[] }
  | { kind: 'healthcheck'; check: HealthInstruction }
  | { kind: 'onbuild'; trigger: string }
  /** An instruction with an unsupported flag. */
  | { kind: 'refused'; error: DockerfileError };

export interface CopyInstruction {
  kind: 'copy' | 'add';
  sources: string[];
  target: string;
  from?: string;
  chown?: string;
  chmod?: string;
  checksum?: string;
  /** Patterns of files to leave out, in the syntax of .dockerignore. */
  exclude: string[];
  /** COPY --parents: files keep the directories of their paths. */
  parents: boolean;
  /** ADD --unpack: whether archives are unpacked; undefined when the Dockerfile does not say. */
  unpack?: boolean;
  /** Files written in the Dockerfile itself: sources whose names start with '<<'. */
  documents: HereDocument[];
}

export interface HealthInstruction {
  /** The command of the check; undefined for NONE. */
  command: CommandForm | undefined;
  /** Nanoseconds. */
  interval?: number;
  timeout?: number;
  startPeriod?: number;
  startInterval?: number;
  retries?: number;
}

export type InstructionOf<K extends InstructionKind['kind']> = Common & Extract<InstructionKind, { kind: K }>;
