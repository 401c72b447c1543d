// manifest.json of `docker save` (Docker Image Specification 1.2, "Combined Image JSON + Filesystem Changeset Format").
import { array, type Infer, object, or, parse, string, strings } from '../formats/schema.ts';

const images = array(
  object(
    { RepoTags: strings },
    {
      /** Name of a file in the archive. */
      Config: string,
      /** The same, bottom first. */
      Layers: or(strings, []),
    },
  ),
);
export type DockerArchiveImage = Infer<typeof images>[number];

/** Throws FormatError. */
export const decodeDockerArchive = (text: string): DockerArchiveImage[] =>
  parse(text, 'manifest.json', images);
