// Prints the packets on a link, as tcpdump does. packet(7)
import { bind, call, callAsync, decodeLink, getLink, openNetlink, recvfrom, SOCK, socket } from '#linux';

const PACKET = 17;
const ALL_PROTOCOLS = 0x0003;
const [IP, ARP] = [0x0800, 0x0806];
const [ICMP, TCP, UDP] = [1, 6, 17];
const VXLAN_PORT = 4789;

/** Prints the first packets whose description has a word in it. */
export async function look({
  link,
  packets,
  word,
}: {
  link: string;
  packets: number;
  word: string;
}): Promise<void> {
  using machine = openNetlink();
  const { index } = machine.get(getLink(link), decodeLink)!;
  // htons: this number is in network byte order, also as the argument of socket(2).
  const protocol = ALL_PROTOCOLS << 8;
  const fd = call(socket(PACKET, SOCK.RAW | SOCK.CLOEXEC, protocol));
  const address = Buffer.alloc(20);
  address.writeUInt16LE(PACKET, 0);
  address.writeUInt16LE(protocol, 2);
  address.writeInt32LE(index, 4);
  call(bind(fd, address));
  const room = Buffer.alloc(0x10000);
  for (let seen = 0; seen < packets; ) {
    const length = await callAsync(recvfrom(fd, room, 0, null, null));
    const text = describe(room.subarray(0, length));
    if (!text?.includes(word)) continue;
    console.log(text);
    seen++;
  }
}

const dotted = (bytes: Buffer): string => bytes.join('.');

/** @returns undefined for what this chapter does not look at */
function describe(frame: Buffer): string | undefined {
  const type = frame.readUInt16BE(12);
  const packet = frame.subarray(14);
  if (type === ARP) return `who has ${dotted(packet.subarray(24, 28))}?`;
  if (type !== IP) return undefined;
  const [from, to] = [dotted(packet.subarray(12, 16)), dotted(packet.subarray(16, 20))];
  const [protocol, length] = [packet.readUInt8(9), packet.readUInt16BE(2)];
  const inside = packet.subarray((packet.readUInt8(0) & 15) * 4);
  if (protocol === UDP && inside.readUInt16BE(2) === VXLAN_PORT) {
    // 8 bytes for UDP, 8 for VXLAN, and then a whole frame.
    const [vni, inner] = [inside.readUIntBE(12, 3), describe(inside.subarray(16))];
    return inner && `${from} > ${to}, ${length} bytes, network ${vni}: ${inner}`;
  }
  const name = { [ICMP]: 'icmp', [TCP]: 'tcp', [UDP]: 'udp' }[protocol];
  return name && `${from} > ${to}, ${length} bytes, ${name}`;
}
