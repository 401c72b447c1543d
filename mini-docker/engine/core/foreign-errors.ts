// Errors of the layers below, as the engine's: clients see their sentences, with the status that fits.

import { BuildError } from '../../build/errors.ts';
import { DockerfileError } from '../../formats/dockerfile/error.ts';
import { InvalidReference } from '../../formats/image-reference.ts';
import { UserNotFound } from '../../formats/user-database.ts';
import {
  AmbiguousImage,
  BadImage,
  ImageInUse,
  NoSuchImage,
  NoSuchManifestList,
} from '../../images/errors.ts';
import { RegistryError } from '../../images/registry/errors.ts';
import { NetworkError } from '../../network/errors.ts';
import { EngineError } from './errors.ts';

/** @returns the same error when it is none that a client could do something about */
export function asEngineError(error: unknown): unknown {
  if (error instanceof EngineError) return error;
  if (error instanceof NetworkError) return new EngineError(error.kind, error.message, { cause: error });
  const kind = kindOf(error);
  if (kind === undefined) return error;
  const exitCode = error instanceof BuildError && error.code !== undefined ? { exitCode: error.code } : {};
  return new EngineError(kind, (error as Error).message, { cause: error, ...exitCode });
}

/** Passes the result on, and turns what is thrown. */
export async function translated<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
  try {
    return await (typeof work === 'function' ? work() : work);
  } catch (error) {
    throw asEngineError(error);
  }
}

function kindOf(error: unknown) {
  if (error instanceof NoSuchImage || error instanceof NoSuchManifestList) return 'notFound' as const;
  if (error instanceof RegistryError) return ofRegistry(error);
  if (error instanceof ImageInUse) return 'conflict' as const;
  if (error instanceof AmbiguousImage || error instanceof BadImage) return 'badParameter' as const;
  if (error instanceof InvalidReference || error instanceof UserNotFound) return 'badParameter' as const;
  if (error instanceof BuildError || error instanceof DockerfileError) return 'badParameter' as const;
  return undefined;
}

/** What the registry said, where that is the client's to mend; that it cannot be reached is nobody's mistake. */
function ofRegistry({ status }: RegistryError) {
  if (status === 401) return 'unauthorized' as const;
  if (status === 403) return 'forbidden' as const;
  if (status === 404) return 'notFound' as const;
  return 'internal' as const;
}
