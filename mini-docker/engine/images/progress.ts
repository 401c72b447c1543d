// Turns the image store's reports into messages of the Docker Engine API, no more often than people can read.

import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import { progressBar } from '../../formats/progress-bar.ts';
import { shortId } from '../../formats/short-id.ts';
import type { ImageProgress } from '../../images/image.ts';

export type SendProgress = (message: ProgressMessage) => void;

/** Milliseconds between two messages about the same step of the same layer. */
const SELDOM = 100;

export function progressReporter(send: SendProgress): (progress: ImageProgress) => void {
  const last = new Map<string, { status: string; time: number; current: number }>();
  return ({ id = '', status, current, total }) => {
    // The first line of a pull is about the whole image, whose name may be a digest.
    const isLayer = id.startsWith('sha256:') && !status.startsWith('Pulling from');
    const shown = isLayer ? shortId(id) : id;
    if (current !== undefined) {
      const before = last.get(id);
      const now = performance.now();
      const isSame = before?.status === status;
      if (isSame && (before.current === current || (current !== total && now - before.time < SELDOM))) return;
      last.set(id, { status, time: now, current });
    }
    const progressDetail = {
      ...(current === undefined ? {} : { current }),
      ...(total === undefined ? {} : { total }),
    };
    const progress = progressBar(progressDetail);
    send({
      status,
      ...(isLayer ? { progressDetail } : {}),
      ...(progress === '' ? {} : { progress }),
      ...(shown === '' ? {} : { id: shown }),
    });
  };
}
