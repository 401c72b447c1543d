// The start program of a container, compiled. Containers of one kind differ in their ids alone, so the program is listed
// and compiled once for them, which takes 2 ms, and then gets the id of each.
import { statSync } from 'node:fs';
import { Latest } from '../formats/latest.ts';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { inUserNamespace } from '../linux/own-user-namespace.ts';
import type { Program } from '../linux/program.ts';
import { renamedProgram } from '../linux/renamed-program.ts';
import { cgroupView, groupOf, joinSteps } from './cgroups/create.ts';
import type { CreateOptions } from './container.ts';
import { withoutLinks } from './dangling-links.ts';
import { hostNode } from './devices.ts';
import { compileImage } from './image-process.ts';
import { kernelFiles } from './kernel-files.ts';
import { lastCapability } from './last-capability.ts';
import { type StartProgram, startProgram } from './start-program.ts';
import { hasOwnUserNamespace, staged } from './user-namespace.ts';

export type ProgramOptions = Pick<CreateOptions, 'spec' | 'rootfs' | 'stdin' | 'init'>;

export interface CompiledStart extends Pick<StartProgram, 'pid'> {
  compiled: Program;
}

/** Kinds of containers whose programs are kept, 300 KB each: the latest ones. */
const KEPT = 8;
const kept = new Latest<string, CompiledStart & { id: string }>(KEPT);

export function compiledStart(options: ProgramOptions & { id: string }): CompiledStart {
  const { id, rootfs, stdin, init } = options;
  const facts = factsOf(options);
  if (!/^[0-9a-f]{64}$/.test(id)) return compileStart(listed(facts, options));
  const kind = namesOf(id).reduce(
    // JSON has no control characters.
    (text, name, index) => text.replaceAll(name, String.fromCharCode(index)),
    JSON.stringify([facts, rootfs, stdin, init]),
  );
  const found = kept.get(kind, () => ({ ...compileStart(listed(facts, options)), id }));
  if (found.id === id) return found;
  const own = namesOf(id);
  const names = namesOf(found.id).map((name, index) => [name, own[index]!] as const);
  return { ...found, compiled: renamedProgram(found.compiled, names) };
}

/** The texts by which the specs of one kind differ: the id, and the host name that it gives. */
const namesOf = (id: string): string[] => [id, id.slice(0, 12)];

export function compileStart({ sections, pid }: StartProgram, trace = false): CompiledStart {
  const items = sections.flatMap(section => section.items);
  return { compiled: compileImage(items, trace), pid };
}

/** The steps of the start, to be printed or traced. */
export function listStart(options: ProgramOptions): StartProgram {
  return listed(factsOf(options), options);
}

/** What a program depends on, and what may change while the daemon runs. */
interface Facts {
  /** The spec without the image's links in its paths. */
  spec: Spec;
  /** Sources of its mounts that are no directories. A missing source fails when it is opened, with its path in the error. */
  files: string[];
  /** The host's nodes of its devices, for a daemon that cannot make nodes itself. */
  nodes: string[] | undefined;
}

function factsOf({ spec: given, rootfs }: ProgramOptions): Facts {
  const resolved = withoutLinks(given, rootfs);
  const spec = hasOwnUserNamespace(resolved) ? staged(resolved) : resolved;
  const sources = spec.mounts.map(({ source }) => source);
  return {
    spec,
    files: sources.filter((_, index) => isFile(given.mounts[index]!.source)),
    nodes: inUserNamespace() ? given.linux.devices?.map(hostNode) : undefined,
  };
}

/** A mount of something else than a file of the host, such as a tmpfs, has a word as its source. */
const isFile = (source: string): boolean =>
  source.startsWith('/') && statSync(source, { throwIfNoEntry: false })?.isDirectory() === false;

function listed({ spec, files }: Facts, { rootfs, stdin, init }: ProgramOptions): StartProgram {
  const group = groupOf(spec);
  const view = cgroupView(group);
  return startProgram(spec, {
    layers: rootfs,
    stdin,
    init: init === true,
    enterCgroup: view.version === 2 ? 'born in it' : { join: joinSteps(group) },
    cgroup: view,
    isDirectory: source => !files.includes(source) && !isFile(source),
    lastCapability: lastCapability(),
    kernelFiles: inUserNamespace() ? [] : kernelFiles(),
    hostNode: inUserNamespace() ? hostNode : undefined,
  });
}
