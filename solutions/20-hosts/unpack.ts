// Prints what is in a tunnel's datagrams.   Run: node unpack.ts PORT
import { createSocket } from 'node:dgram';

const [port] = process.argv.slice(2);
/** Bytes of the headers. */
const [VXLAN, ETHERNET, IP] = [8, 14, 20];
const IPV4 = 0x0800;

const socket = createSocket('udp4');
socket.on('message', datagram => {
  if (datagram.length < VXLAN + ETHERNET + IP) return;
  if ((datagram[0]! & 0x08) === 0) return;
  if (datagram.readUInt16BE(VXLAN + 12) !== IPV4) return;
  const packet = datagram.subarray(VXLAN + ETHERNET);
  const [from, to] = [packet.subarray(12, 16).join('.'), packet.subarray(16, 20).join('.')];
  console.log(`${datagram.readUIntBE(4, 3)} ${from} > ${to}`);
});
socket.bind(Number(port));
