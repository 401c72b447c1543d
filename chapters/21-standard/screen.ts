// The other end of a console socket: waits for a terminal's master, and shows that terminal on ours.
// Run: node chapters/21-standard/screen.ts SOCKET
import { createServer } from 'node:net';
import { PtyStream, receiveDescriptor } from '#linux';

const [path] = process.argv.slice(2);
// Node reads bytes and would drop what travels beside them. So it may not read; we do.
const server = createServer({ pauseOnConnect: true }, line => {
  const { fd } = (line as unknown as { _handle: { fd: number } })._handle;
  const screen = new PtyStream(receiveDescriptor(fd)!);
  line.destroy();
  server.close();
  screen.pipe(process.stdout);
  process.stdin.on('data', typed => screen.write(typed));
  screen.on('close', () => process.exit());
});
server.listen(path);
