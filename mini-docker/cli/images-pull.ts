// Pulling an image, and showing how it goes.

import { decodeReference, encodeReference, familiarReference, withTag } from '../formats/image-reference.ts';
import type { DaemonClient } from './daemon-client.ts';
import { CommandError, DaemonError, OUR_FAULT } from './errors.ts';

interface Progress {
  id?: string;
  status?: string;
  progress?: string;
  error?: string;
  errorDetail?: { message?: string };
}

export interface PullOptions {
  image: string;
  platform?: string | undefined;
  quiet?: boolean;
  allTags?: boolean;
  show(text: string): void;
  /** Whether `show` writes to a terminal, where lines can be rewritten. */
  terminal: boolean;
}

/** Rejects with CommandError or DaemonError when it cannot be had. */
export async function pullImage(daemon: DaemonClient, options: PullOptions): Promise<void> {
  const { image, platform, quiet = false, allTags = false } = options;
  const reference = parsed(image);
  const tag = allTags ? undefined : (reference.digest ?? reference.tag ?? 'latest');
  const fromImage = encodeReference({ domain: reference.domain, path: reference.path }).replace(
    /^docker\.io\/(library\/)?/,
    '',
  );
  const stream = daemon.jsonStream<Progress>('POST', '/images/create', {
    query: { fromImage, tag, platform },
  });
  const lines = quiet ? undefined : progressLines(options);
  for await (const each of stream) {
    if (each.error !== undefined) throw new DaemonError(500, each.errorDetail?.message ?? each.error);
    lines?.(each);
  }
}

function parsed(image: string) {
  try {
    return decodeReference(image);
  } catch (cause) {
    throw new CommandError((cause as Error).message, { exitCode: OUR_FAULT, cause });
  }
}

/** 'busybox' → 'busybox:latest'; what cannot be a name stays as it is. */
export function withLatest(image: string): string {
  try {
    return familiarReference(withTag(decodeReference(image)));
  } catch {
    return image;
  }
}

/** One line for each layer, rewritten in place on a terminal; elsewhere only what is new. */
export function progressLines({ show, terminal }: Pick<PullOptions, 'show' | 'terminal'>) {
  const rows = new Map<string, number>();
  const seen = new Map<string, string>();
  let height = 0;
  return ({ id, status = '', progress = '' }: Progress) => {
    const line = `${id === undefined ? '' : `${id}: `}${status}`;
    if (id === undefined || !terminal) {
      // Without a terminal the steps count, not how far each has got.
      if (id !== undefined && (progress !== '' || seen.get(id) === status)) return;
      if (id !== undefined) seen.set(id, status);
      show(`${line}\n`);
      if (terminal) height += 1;
      return;
    }
    const row = rows.get(id);
    if (row === undefined) {
      rows.set(id, height);
      height += 1;
      show(`${line} ${progress}\n`);
      return;
    }
    const up = height - row;
    show(`\x1b[${up}A\x1b[2K\r${line} ${progress}\x1b[${up}B\r`);
  };
}
