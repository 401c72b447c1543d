// Why a program "does not exist" or cannot be executed although its file seems to be there.

import { posix } from 'node:path';
import { lookUpUser, type UserIdentity } from '../../../formats/user-database.ts';
import type { Finding } from '../../../formats/why-report.ts';
import { decodeElfFile, type ElfFile, MACHINES, OWN_MACHINE } from '../../../linux/elf-file.ts';
import type { ContainerFiles, Denied } from './container-files.ts';
import type { Facts } from './facts.ts';
import { type MissingLibrary, missingLibraries } from './libraries.ts';

interface ProgramFacts {
  name: string;
  /** The program as it was named; `path` is where it was found. */
  wanted: string;
  path: string | undefined;
  searched: readonly string[];
  kind: Awaited<ReturnType<ContainerFiles['kind']>>;
  /** What the container's user may not execute or search. */
  denied: Denied | undefined;
  /** The container's user, as it was named. */
  user: string;
  /** A file system in memory that the program would be in. */
  inMemory: string | undefined;
  /** The file's first bytes. */
  beginning: Buffer;
  elf: ElfFile | undefined;
  /** The interpreter that a script or an ELF file names. */
  interpreter: string | undefined;
  interpreterIsThere: boolean;
  missing: readonly MissingLibrary[];
}

const RULES: readonly ((facts: ProgramFacts) => Finding | undefined)[] = [
  inMemoryFile,
  programMissing,
  notAFile,
  wrongArchitecture,
  windowsLineEnd,
  interpreterMissing,
  notExecutable,
  notPermitted,
  noInterpreterNamed,
  libraryMissing,
];

/**
 * Findings about the container's own program and those that its log complains about; one for each program.
 */
export async function programFindings(files: ContainerFiles, facts: Facts): Promise<Finding[]> {
  const { exitCode, error, exitUnknown } = facts.state;
  const notStarted = error !== '' && !exitUnknown;
  if (!notStarted && exitCode !== 126 && exitCode !== 127) return [];
  const wanted = [facts.record.path, ...(notStarted ? [] : facts.lastLines.flatMap(complainedAbout))];
  const found: Finding[] = [];
  for (const each of [...new Set(wanted)].slice(0, 4)) {
    const program = await look(files, { facts, wanted: each });
    const finding = RULES.map(rule => rule(program)).find(result => result !== undefined);
    if (finding !== undefined) found.push(finding);
  }
  return found;
}

/** The program in 'sh: 1: /app: not found', "env: 'python3': No such file or directory" and the like. */
function complainedAbout(line: string): string[] {
  const complaint =
    /([^\s:'"‘’`]{1,200})['’"]?: (?:command not found|not found|no such file or directory|permission denied|exec format error|cannot execute)/i;
  const found = complaint.exec(line)?.[1];
  return found === undefined ? [] : [found];
}

async function look(
  files: ContainerFiles,
  { facts, wanted }: { facts: Facts; wanted: string },
): Promise<ProgramFacts> {
  const { Env = [], WorkingDir = '/' } = facts.record.config;
  const searchPath = Env?.find(each => each.startsWith('PATH='))?.slice(5) ?? '';
  const searched = wanted.includes('/') ? [] : searchPath.split(':').filter(Boolean);
  const places = wanted.includes('/')
    ? [posix.resolve(WorkingDir || '/', wanted)]
    : searched.map(directory => posix.resolve('/', directory, wanted));
  let path: string | undefined;
  let kind: ProgramFacts['kind'];
  for (const place of places) {
    kind = await files.kind(place);
    if (kind === undefined) continue;
    path = place;
    break;
  }
  const nothing: ProgramFacts = {
    name: facts.name,
    wanted,
    path,
    searched,
    kind,
    denied: undefined,
    user: facts.record.config.User || 'root',
    inMemory: wanted.includes('/') ? executeNothing(places[0]!, facts) : undefined,
    beginning: Buffer.alloc(0),
    elf: undefined,
    interpreter: undefined,
    interpreterIsThere: true,
    missing: [],
  };
  if (path === undefined) return nothing;
  const read = await files.withFile(path, read => ({ beginning: read(0, 512), elf: decodeElfFile(read) }));
  if (read === undefined) return nothing;
  const script = /^#![ \t]*([^\s\0]+\r?)/.exec(read.beginning.toString())?.[1];
  const interpreter = script ?? read.elf?.interpreter;
  const interpreterIsThere = interpreter === undefined || (await files.kind(interpreter)) !== undefined;
  const missing =
    read.elf === undefined || !interpreterIsThere
      ? []
      : await missingLibraries(files, { program: path, file: read.elf, environment: Env ?? [] });
  const denied = await files.denied(path, await userOf(files, facts));
  return { ...nothing, ...read, denied, interpreter, interpreterIsThere, missing };
}

async function userOf(files: ContainerFiles, { record }: Facts): Promise<UserIdentity> {
  const [passwd, group] = await Promise.all([files.text('/etc/passwd'), files.text('/etc/group')]);
  const groupAdd = record.hostConfig.GroupAdd ?? [];
  try {
    return lookUpUser(record.config.User ?? '', { passwd, group, groupAdd });
  } catch {
    // Such a user is another failure's cause.
    return lookUpUser('', { passwd, group });
  }
}

/** The tmpfs that has the path and refuses to execute files, as it does by default. */
function executeNothing(path: string, { record }: Facts): string | undefined {
  return Object.entries(record.hostConfig.Tmpfs ?? {}).find(
    ([directory, options]) => path.startsWith(`${directory}/`) && !options.split(',').includes('exec'),
  )?.[0];
}

function inMemoryFile({ wanted, inMemory, kind }: ProgramFacts): Finding | undefined {
  if (inMemory === undefined || kind !== undefined) return undefined;
  return {
    code: 'no-execution-here',
    sentence: `${wanted} would be in ${inMemory}, a file system in memory: it is empty at the start, and its files cannot be executed ('noexec').`,
    evidence: [`'--tmpfs ${inMemory}'`],
    advice: `Put the program elsewhere, or allow it with '--tmpfs ${inMemory}:exec'.`,
  };
}

function programMissing({ name, wanted, path, searched }: ProgramFacts): Finding | undefined {
  if (path !== undefined) return undefined;
  const inPath = !wanted.includes('/');
  return {
    code: 'program-missing',
    sentence: inPath
      ? `${wanted} is in none of the directories of ${name}'s PATH.`
      : `${wanted} is not among ${name}'s files.`,
    evidence: inPath
      ? [`PATH: ${searched.join(':') || 'empty'}`]
      : [`looked for ${wanted} in the container's root`],
    advice: 'Install it in the image, or correct the name.',
  };
}

function notAFile({ wanted, path, kind }: ProgramFacts): Finding | undefined {
  if (kind !== 'directory' && kind !== 'other') return undefined;
  return {
    code: 'program-is-no-file',
    sentence: `${wanted} is ${kind === 'directory' ? 'a directory' : 'no ordinary file'} and cannot be executed.`,
    evidence: [`${path} in the container`],
    advice: 'Name the program itself.',
  };
}

function wrongArchitecture({ wanted, path, elf }: ProgramFacts): Finding | undefined {
  if (elf === undefined || elf.machine === OWN_MACHINE) return undefined;
  const its = MACHINES[elf.machine] ?? `machine ${elf.machine}`;
  return {
    code: 'wrong-architecture',
    sentence: `${wanted} is a program for ${its}, and this machine is ${MACHINES[OWN_MACHINE]}.`,
    evidence: [`the ELF header of ${path}: e_machine ${elf.machine}`],
    advice:
      'Take an image of this architecture, or build the program for it; qemu-user-static on the host runs foreign ones, slowly.',
  };
}

function windowsLineEnd({ wanted, path, interpreter }: ProgramFacts): Finding | undefined {
  if (!interpreter?.endsWith('\r')) return undefined;
  return {
    code: 'windows-line-ends',
    sentence: `${wanted} is there, but its first line ends as on Windows, so that the kernel looks for an interpreter whose name ends with a carriage return.`,
    evidence: [`the first line of ${path}: #!${interpreter.slice(0, -1)}\\r\\n`],
    advice: "Write the file with LF: dos2unix, or 'eol=lf' in .gitattributes.",
  };
}

function interpreterMissing(facts: ProgramFacts): Finding | undefined {
  const { wanted, path, elf, interpreter, interpreterIsThere } = facts;
  if (interpreterIsThere) return undefined;
  const musl = interpreter?.includes('musl');
  return {
    code: 'interpreter-missing',
    sentence: `${wanted} is there, but ${interpreter}, ${elf ? 'the dynamic linker' : 'the interpreter'} that it names, is not; the kernel's "no such file or directory" means that one.`,
    evidence: [
      elf
        ? `the ELF header of ${path} (PT_INTERP): ${interpreter}`
        : `the first line of ${path}: #!${interpreter}`,
    ],
    advice:
      elf === undefined
        ? `Install ${interpreter} in the image, or name one that it has.`
        : `The program was built for another C library${musl ? ' (musl, as in Alpine)' : ' (glibc, as in Debian)'}: build it in an image like this one, link it statically, or take an image that has it.`,
  };
}

function notExecutable({ wanted, path, kind }: ProgramFacts): Finding | undefined {
  if (kind !== 'file') return undefined;
  return {
    code: 'not-executable-file',
    sentence: `${wanted} is there, but no user has permission to execute it.`,
    evidence: [`the mode of ${path} has no x`],
    advice: `Make it executable before it is copied into the image ('chmod +x'), or with 'COPY --chmod=755'.`,
  };
}

function notPermitted({ wanted, denied, user }: ProgramFacts): Finding | undefined {
  if (denied === undefined) return undefined;
  const { path, mode, uid, gid } = denied;
  return {
    code: 'not-permitted',
    sentence: `${wanted} is there, but the user ${user} may not ${path === wanted ? 'execute it' : `search ${path}`}.`,
    evidence: [`${path}: mode ${mode.toString(8).padStart(4, '0')}, owner ${uid}, group ${gid}`],
    advice: `Let others do that in the image ('chmod o+${path === wanted ? 'rx' : 'x'} ${path}', or 'COPY --chown=${user}'), or run it as another user.`,
  };
}

function noInterpreterNamed({ wanted, path, elf, beginning }: ProgramFacts): Finding | undefined {
  if (elf !== undefined || beginning.toString('latin1', 0, 2) === '#!') return undefined;
  const isText = beginning.length > 0 && !beginning.includes(0);
  return {
    code: isText ? 'no-interpreter-named' : 'no-program',
    sentence: isText
      ? `${wanted} is a text whose first line does not say which program runs it.`
      : `${wanted} is ${beginning.length === 0 ? 'empty' : 'no program in a form that this kernel knows'}.`,
    evidence: [`the first bytes of ${path}`],
    advice: isText ? 'Begin it with #!/bin/sh, with nothing before that.' : 'Put the program in its place.',
  };
}

function libraryMissing({ name, wanted, missing }: ProgramFacts): Finding | undefined {
  const [first] = missing;
  if (first === undefined) return undefined;
  return {
    code: 'library-missing',
    sentence: `${wanted} needs the library ${first.library}, which ${name} does not have.`,
    evidence: missing
      .slice(0, 5)
      .map(
        ({ library, neededBy }) => `${neededBy} needs ${library}, found in none of the linker's directories`,
      ),
    advice: `Install the package that has it in the image, or set LD_LIBRARY_PATH to where it is.`,
  };
}
