// Secrets and configs whose content stands in the compose file or in a variable. No file of the host holds it that
// could be mounted, so it is copied into the container before the container starts, as Docker Compose does.

import { encodeEntry } from '../../formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding } from '../../formats/tar/entry.ts';
import { CommandError } from '../errors.ts';
import type { Lookup } from './interpolate.ts';
import type { FileThing } from './model.ts';
import type { FileReference, Service } from './service.ts';

type Kind = 'secret' | 'config';

/** A project, as far as its secrets and configs go. */
interface Things {
  secrets: Record<string, FileThing>;
  configs: Record<string, FileThing>;
  /** The value of a variable. */
  lookup: Lookup;
}

/** A secret or config as a service uses it. */
export interface UsedFile {
  kind: Kind;
  reference: FileReference;
  thing: FileThing;
  /** Absolute path in the container. */
  target: string;
}

export function filesOf(project: Things, service: Service): UsedFile[] {
  const used = (kind: Kind, references: readonly FileReference[] = []) =>
    references.map(reference => {
      const things = kind === 'secret' ? project.secrets : project.configs;
      const name = reference.target ?? reference.source!;
      const place = kind === 'secret' ? '/run/secrets/' : '/';
      const target = name.startsWith('/') ? name : place + name;
      return { kind, reference, thing: things[reference.source!]!, target };
    });
  return [...used('secret', service.secrets), ...used('config', service.configs)];
}

/**
 * The content of a secret or config; undefined when it is a file.
 * @throws CommandError when it cannot be had
 */
export function contentOf({ kind, reference, thing }: UsedFile, project: Things): string | undefined {
  const { source } = reference;
  if (thing.external)
    throw new CommandError(
      `unsupported external ${kind} ${source}: only a swarm has a store of them; give it as file, content or environment`,
    );
  if (thing.environment === undefined) return thing.content;
  const value = project.lookup(thing.environment);
  if (value === undefined)
    throw new CommandError(
      `environment variable ${JSON.stringify(thing.environment)} required by ${kind} ${JSON.stringify(source)} is not set`,
    );
  return value;
}

/** An archive of all contents, to be unpacked at the root of the container; undefined when there are none. */
export function archiveOf(project: Things, service: Service): Buffer | undefined {
  const parts = filesOf(project, service).flatMap(used => {
    const text = contentOf(used, project);
    if (text === undefined) return [];
    const content = Buffer.from(text);
    const { uid, gid, mode = 0o444 } = used.reference;
    const header = encodeEntry({
      path: used.target.slice(1),
      type: 'file',
      mode,
      uid: idOf(uid, used),
      gid: idOf(gid, used),
      size: content.length,
      mtime: BigInt(Date.now()) * 1_000_000n,
    });
    return [header, content, Buffer.alloc(padding(content.length))];
  });
  return parts.length === 0 ? undefined : Buffer.concat([...parts, END_OF_ARCHIVE]);
}

function idOf(given: string | undefined, { kind, reference }: UsedFile): number {
  if (given === undefined) return 0;
  if (/^\d{1,9}$/.test(given)) return Number(given);
  throw new CommandError(
    `the ${kind} ${reference.source} has uid or gid ${JSON.stringify(given)}: it is a number`,
  );
}
