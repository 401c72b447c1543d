// What is printed. Pipes, files and terminals are written synchronously on Linux, so nothing is lost by exiting.

const SIGPIPE_EXIT = 128 + 13;

let watching = false;

function writeTo(stream: NodeJS.WriteStream, data: string | Uint8Array): void {
  if (!watching) {
    watching = true;
    // `mini-docker logs x | head`: the reader has gone; end as a program does that SIGPIPE ends.
    process.stdout.on('error', () => process.exit(SIGPIPE_EXIT));
    process.stderr.on('error', () => process.exit(SIGPIPE_EXIT));
  }
  stream.write(data);
}

/** As it is, without a newline. */
export const write = (data: string | Uint8Array): void => writeTo(process.stdout, data);
export const writeError = (data: string | Uint8Array): void => writeTo(process.stderr, data);
export const print = (line: string): void => writeTo(process.stdout, `${line}\n`);
export const printError = (line: string): void => writeTo(process.stderr, `${line}\n`);
