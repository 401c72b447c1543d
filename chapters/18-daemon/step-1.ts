// What `docker attach` does.   Run: node chapters/18-daemon/step-1.ts NAME
import { createConnection } from 'node:net';

const [name] = process.argv.slice(2);
const line = createConnection({ path: '/tmp/box/docker.sock', allowHalfOpen: true });
line.write(`POST /containers/${name}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n`);
line.write('Host: box\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
process.stdin.pipe(line);
line.pipe(process.stdout);
