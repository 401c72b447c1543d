// A name server in one sentence: every name means 192.0.2.1.   Run: node chapters/19-names/step-1.ts ADDRESS
import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';

const server = createSocket('udp4').bind(53, process.argv[2]);
server.on('message', (query, { port, address }) => {
  const { id = 0, questions = [] } = decode(query);
  const { name = '', type } = questions[0] ?? {};
  const answers = type === 'A' ? [{ type, name, ttl: 5, data: '192.0.2.1' }] : [];
  server.send(encode({ type: 'response', id, questions, answers }), port, address);
});
server.on('listening', () => console.log('ready'));
