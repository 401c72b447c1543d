// manifest.json of `docker save` (Docker Image Specification 1.2, "Combined Image JSON + Filesystem Changeset Format").
import { FormatError } from '../formats/errors.ts';
import { array, object, optional, present, string, strings } from '../formats/json-fields.ts';

export interface DockerArchiveImage {
  /** Names of files in the archive. */
  Config: string;
  RepoTags?: string[];
  /** Bottom first. */
  Layers: string[];
}

/** Throws FormatError. */
export function decodeDockerArchive(text: string): DockerArchiveImage[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError('manifest.json is not JSON', { cause });
  }
  return array(value, 'manifest.json', (each, where) => {
    const fields = object(each, where);
    return present<DockerArchiveImage>({
      Config: string(fields.Config, `${where}.Config`),
      RepoTags: optional(fields, 'RepoTags', where, strings),
      Layers: strings(fields.Layers ?? [], `${where}.Layers`),
    });
  });
}
