// A pseudo-terminal's master as a stream. pty(7)
import { ReadStream } from 'node:tty';

/**
 * The master as a stream for both directions, which owns the descriptor from now on. It ends when the last
 * slave is closed: the kernel then answers EIO (pty(7)), which this stream treats as its end and not as an
 * error.
 */
export class PtyStream extends ReadStream {
  constructor(master: number) {
    super(master);
  }

  override destroy(error?: Error): this {
    if ((error as NodeJS.ErrnoException | undefined)?.code !== 'EIO') return super.destroy(error);
    // Data that was read before is still to be delivered; the end follows it, and closes the stream.
    if (!this.readableEnded) this.push(null);
    this.end();
    return this;
  }
}
