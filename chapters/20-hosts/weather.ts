// Bad weather between the hosts: takes the tunnel's packets, and passes them on late, or not at all.
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';

/** @param delay milliseconds @param lose loses each n-th packet; 0 loses none */
export function relay({ address, delay, lose }: { address: string; delay: number; lose: number }): void {
  const socket = createSocket('udp4');
  let count = 0;
  socket.on('message', async packet => {
    if (++count % lose === 0) return;
    await sleep(delay);
    socket.send(packet, 4789, address);
  });
  socket.bind(4790, address, () => console.log(`weather at ${address}, port 4790`));
}
