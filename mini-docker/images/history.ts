import type { CatalogImage } from './catalog.ts';
import type { HistoryLine, Image } from './image.ts';

/** Newest first, as docker shows it. `sizeOf` returns the bytes of a layer's files. */
export function historyOf(
  image: CatalogImage,
  { sizeOf, parentOf }: { sizeOf(diffId: string): number; parentOf(image: Image): Image | undefined },
): HistoryLine[] {
  const diffIds = [...image.config.rootfs.diff_ids];
  const lines = (image.config.history ?? []).map((each): HistoryLine => {
    const diffId = each.empty_layer ? undefined : diffIds.shift();
    return {
      ...(each.created === undefined ? {} : { created: each.created }),
      createdBy: each.created_by ?? '',
      comment: each.comment ?? '',
      size: diffId === undefined ? 0 : sizeOf(diffId),
      ...(diffId === undefined ? {} : { diffId }),
    };
  });
  // Tools may omit the history, or lines of it.
  for (const diffId of diffIds) lines.push({ createdBy: '', comment: '', size: sizeOf(diffId), diffId });
  for (let each: Image | undefined = image; each !== undefined; each = parentOf(each)) {
    const last = lines[each === image ? lines.length - 1 : (each.config.history?.length ?? 0) - 1];
    if (last !== undefined) last.id = each.id;
  }
  return lines.reverse();
}
