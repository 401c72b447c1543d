// The other end of a console socket: waits for a terminal's master, and shows that terminal on ours.
// Run: node chapters/21-standard/screen.ts SOCKET
import { createServer } from 'node:net';
import { call, F, fcntl, PtyStream, receiveDescriptor } from '#linux';

const [path] = process.argv.slice(2);
// Node reads bytes and would drop what travels beside them. So it may not read; we do.
const server = createServer({ pauseOnConnect: true }, line => {
  const { fd } = (line as unknown as { _handle: { fd: number } })._handle;
  // Node's sockets do not wait for a message. This one has to.
  call(fcntl(fd, F.SETFL, 0));
  const screen = new PtyStream(receiveDescriptor(fd)!);
  line.destroy();
  server.close();
  screen.pipe(process.stdout);
  process.stdin.on('data', typed => screen.write(typed));
  screen.on('close', () => process.exit());
});
server.listen(path);
