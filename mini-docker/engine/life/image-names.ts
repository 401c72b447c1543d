// Names of images after the file that had them was lost.
import type { EngineContext } from '../state/context.ts';

/** Restores lost names of images from the records of containers. */
export async function recoverImageNames({ containers, images, tell }: EngineContext): Promise<void> {
  for (const { record } of containers) {
    const name = record.config.Image ?? '';
    try {
      const isTaken = await images.get(name).then(
        () => true,
        () => false,
      );
      if (isTaken) continue;
      await images.tag(await images.get(record.imageId), name);
      tell(`the image ${record.imageId} is called ${name} again: container ${record.name} says so`);
    } catch {
      // The reference was an id, or the image is gone.
    }
  }
}
