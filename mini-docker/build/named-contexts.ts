// Contexts beside the one of the build, which --from and FROM know by name: images, and directories that came in the
// same archive.

import { closeSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { hostPlatform } from '../images/platform.ts';
import { O } from '../linux/constants.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { fromScratch } from './base.ts';
import { keyOf } from './cache.ts';
import { hashContext } from './context.ts';
import { BuildError } from './errors.ts';
import type { StageState } from './state.ts';

/** Each is an image's name or a directory of the build's own. */
export type NamedContexts = ReadonlyMap<string, NamedContext>;

interface NamedContext {
  image?: string;
  directory?: string;
}

const IMAGE = 'docker-image://';

/** Moves the directories out of the context, where COPY . would see them. @throws BuildError for a missing one */
export function namedContexts(
  requested: Record<string, string>,
  { contextPath, directory }: { contextPath: string; directory: string },
): NamedContexts {
  return new Map(
    Object.entries(requested).map(([name, where], index): [string, NamedContext] => {
      if (where.startsWith(IMAGE)) return [name, { image: where.slice(IMAGE.length) }];
      const place = join(directory, `named-${index}`);
      try {
        // A path of several names could lead through a link to another directory of the machine.
        if (!/^[^/\0]+$/.test(where) || where === '.' || where === '..')
          throw new Error('it is not one name');
        renameSync(join(contextPath, where), place);
        closeSync(openSync(place, O.RDONLY | O.DIRECTORY | O.NOFOLLOW));
      } catch (cause) {
        throw new BuildError(`the context ${name} did not come with the build: ${(cause as Error).message}`, {
          cause,
        });
      }
      return [name, { directory: place }];
    }),
  );
}

/** The image that FROM names. @throws BuildError when it is the name of a directory */
export function baseCalled(name: string, named: NamedContexts): string {
  const context = named.get(name);
  if (context?.directory !== undefined)
    throw new BuildError(`the context ${name} is a directory: use FROM scratch and COPY --from=${name}`);
  return context?.image ?? name;
}

/** A directory as --from uses a stage. */
export async function directoryState(directory: string): Promise<StageState> {
  using opened = new Descriptor(openSync(directory, O.RDONLY | O.DIRECTORY));
  const key = keyOf('context', await hashContext(opened.number));
  return { ...fromScratch(hostPlatform()), baseDirectories: [directory], key };
}
