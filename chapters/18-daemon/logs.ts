// `box logs`: the keeper of this chapter writes frames, and what a terminal shows is their content.
import { openProcess, watchExit } from '#linux';
import { readState } from '../12-stay/state.ts';
import { follow, frames, outputFile, STREAM } from './output.ts';
import { readWanted } from './wanted.ts';

export async function printLogs(name: string, further: boolean): Promise<void> {
  const { keeper } = readState(name);
  const pidfd = further && keeper !== undefined ? openProcess(keeper) : undefined;
  const over = pidfd === undefined ? Promise.resolve() : watchExit(pidfd);
  const bytes = follow(outputFile(name), { from: 0, over, signal: new AbortController().signal });
  if (readWanted(name).request.Tty) {
    for await (const piece of bytes) process.stdout.write(piece);
  } else {
    for await (const { stream, data } of frames(bytes))
      (stream === STREAM.stderr ? process.stderr : process.stdout).write(data);
  }
}
