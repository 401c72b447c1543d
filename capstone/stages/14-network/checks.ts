import { idle, namespaceOf, processOf, shell } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const none = await shell(
      lab,
      'ls /sys/class/net | tr "\\n" " "; ip link show lo | grep -c "LOOPBACK,UP"',
      ['--network', 'none'],
    );
    lab.promise('none', /^(?!.*eth)(?=.*\blo\b).* 1\n$/s.test(none.stdout), {
      promised: '--network none: only lo is there, and it is up',
      seen: ending(none),
      look: 'CLONE_NEWNET; a new lo is down',
    });
    const [text, port, command] = [random.word(), random.integer(2000, 9000), idle(random)];
    const client = await lab.start([
      ...['run', 'busybox', 'sh', '-c'],
      `(while :; do echo ${text} | nc -l -p ${port}; done) & ip -4 -o addr show eth0; exec ${command.join(' ')}`,
    ]);
    const pid = await processOf(lab, command, client);
    await lab.until(() => client.stdout.includes('inet '));
    const address = /inet (\d+\.\d+\.\d+\.\d+)/.exec(client.stdout)?.[1];
    lab.promise(
      'address',
      address !== undefined && namespaceOf(pid, 'net') !== namespaceOf(lab.sandbox.pid, 'net'),
      {
        promised: 'by default it has a network namespace of its own, and eth0 there has an address',
        seen: client.stdout.trim() === '' ? 'there is no eth0 with an address' : client.stdout.trim(),
        look: 'a veth pair: one end in the container, the other at a bridge',
      },
    );
    const reached = await shell(
      lab,
      `for n in 1 2 3 4 5; do nc -w 2 ${address} ${port} </dev/null && break; sleep 0.3; done`,
    );
    lab.promise('each-other', reached.stdout.includes(text), {
      promised: `another container reaches it at ${address}:${port}`,
      seen: `${ending(reached)}; ${reached.stderr.trim()}`,
      look: 'do both ends of both pairs, and the bridge, have to be up?',
    });
    const own = await shell(lab, `ip -4 -o addr show eth0; ip route`);
    lab.promise('different', !own.stdout.includes(`${address}/`) && own.stdout.includes('default via'), {
      promised: 'each container has an address of its own, and a default route',
      seen: ending(own),
      look: 'a record of the addresses that are in use',
    });
    const listening = await lab.arrange([
      'sh',
      '-c',
      `while :; do echo ${text} | nc -l -p ${port} -q 0 2>/dev/null || echo ${text} | busybox nc -l -p ${port}; done`,
    ]);
    const isolated = await shell(lab, `nc -w 1 127.0.0.1 ${port} </dev/null`);
    listening.kill();
    lab.promise('own-loopback', !isolated.stdout.includes(text), {
      promised: "127.0.0.1 in the container is not the machine's",
      seen: ending(isolated),
      look: 'CLONE_NEWNET',
    });
  },
};
