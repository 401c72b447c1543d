// Prints what is in a tunnel's datagrams.   Run: node unpack.ts PORT
import { createSocket } from 'node:dgram';

const [port] = process.argv.slice(2);

const socket = createSocket('udp4');
socket.on('message', datagram => {
  // TODO: is it VXLAN? Is there an IPv4 packet in it? Then print VNI FROM > TO.
  void datagram;
});
socket.bind(Number(port));
