// Pulls an image and shows the progress.

import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import {
  decodeReference,
  familiarName,
  familiarReference,
  type ImageReference,
  withTag,
} from '../../formats/image-reference.ts';
import { quietly } from '../../formats/quietly.ts';
import { beforeProgram } from '../errors.ts';
import { followProgress, type ProgressTarget, progressLines } from '../show/progress-lines.ts';
import type { DaemonClient } from './client.ts';

export interface PullOptions extends ProgressTarget {
  image: string;
  platform?: string | undefined;
  quiet?: boolean;
  allTags?: boolean;
}

/** @throws CommandError or DaemonError when the image cannot be pulled */
export async function pullImage(daemon: DaemonClient, options: PullOptions): Promise<void> {
  const { image, platform, quiet = false, allTags = false } = options;
  const reference = parsedReference(image);
  const tag = allTags ? undefined : (reference.digest ?? reference.tag ?? 'latest');
  const { authHeader } = await import('./registry-config.ts');
  const stream = daemon.jsonStream<ProgressMessage>('POST', '/images/create', {
    query: { fromImage: familiarName(reference), tag, platform },
    headers: await authHeader(reference.domain, process.env),
  });
  await followProgress(stream, quiet ? () => {} : progressLines(options));
}

export function parsedReference(image: string): ImageReference {
  try {
    return decodeReference(image);
  } catch (cause) {
    throw beforeProgram((cause as Error).message, cause);
  }
}

/** 'busybox' → 'busybox:latest'; an invalid name stays as it is. */
export function withLatest(image: string): string {
  return quietly(() => familiarReference(withTag(decodeReference(image)))) ?? image;
}
