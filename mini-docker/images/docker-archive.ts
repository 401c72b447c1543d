// Decodes manifest.json of `docker save` (Docker Image Specification 1.2, "Combined Image JSON + Filesystem
// Changeset Format").
import { array, type Infer, object, or, parse, string, strings } from '../formats/schema.ts';

const images = array(
  object(
    { RepoTags: strings },
    {
      /** File name of the configuration in the archive. */
      Config: string,
      /** File names of the layers, bottom first. */
      Layers: or(strings, []),
    },
  ),
);
export type DockerArchiveImage = Infer<typeof images>[number];

/** @throws FormatError when it is malformed */
export const decodeDockerArchive = (text: string): DockerArchiveImage[] =>
  parse(text, 'manifest.json', images);
