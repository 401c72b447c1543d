// Shows the progress of a save: watches the archive as it passes, with a line on the terminal for each layer.

import { shortId } from '../../formats/short-id.ts';
import { createTarReader } from '../../formats/tar/reader.ts';
import { writeError } from './output.ts';
import { progressLines } from './progress-lines.ts';

/** Milliseconds between two updates of the same line. */
const SELDOM = 100;

/** Passes the pieces on unchanged. */
export async function* watchedArchive(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const show = progressLines({ show: writeError, terminal: true });
  let blob: { id: string; total: number } | undefined;
  let shown = 0;
  const say = (status: string, current?: number) => {
    if (blob === undefined) return;
    const { id, total } = blob;
    show({ id, status, progressDetail: current === undefined ? {} : { current, total } });
    shown = performance.now();
  };
  const reader = createTarReader({
    entry({ path, type, size }) {
      const digest = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
      blob = digest !== undefined && type === 'file' ? { id: shortId(digest), total: size } : undefined;
      say('Saving', 0);
    },
    data(bytes, position) {
      if (performance.now() - shown >= SELDOM) say('Saving', position + bytes.length);
    },
    end() {
      say('Saved');
      blob = undefined;
    },
  });
  for await (const chunk of archive) {
    reader.write(chunk);
    yield chunk;
  }
}
