// One instruction of a Dockerfile, taken apart. Variables are still in it: what they stand for is known when it is run.
import type { DockerfileError } from './error.ts';
import type { HereDocument } from './lines.ts';

/** The shell form is one string, for the shell to read; the exec form a list, which no shell sees. */
export type CommandForm = { form: 'shell'; text: string } | { form: 'exec'; words: string[] };

interface Common {
  /** Counted from 1. */
  line: number;
  /** The statement on one line, as it is printed and stands in the image's history. */
  text: string;
  /** Its first line as it is, for errors. */
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
  /** One of its flags cannot be had. */
  | { kind: 'refused'; error: DockerfileError };

export interface CopyInstruction {
  kind: 'copy' | 'add';
  sources: string[];
  target: string;
  from?: string;
  chown?: string;
  chmod?: string;
  checksum?: string;
  /** Patterns of .dockerignore's kind, of what is left out. */
  exclude: string[];
  /** COPY --parents: files keep the directories of their paths. */
  parents: boolean;
  /** ADD --unpack: whether archives are unpacked, where the Dockerfile says it. */
  unpack?: boolean;
  /** Files that stand in the Dockerfile itself: sources whose name starts with '<<'. */
  documents: HereDocument[];
}

export interface HealthInstruction {
  /** undefined: NONE. */
  command: CommandForm | undefined;
  /** Nanoseconds. */
  interval?: number;
  timeout?: number;
  startPeriod?: number;
  startInterval?: number;
  retries?: number;
}

export type InstructionOf<K extends InstructionKind['kind']> = Common & Extract<InstructionKind, { kind: K }>;
