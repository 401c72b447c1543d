// The checks of exercise 20: a tunnel's datagrams, the kernel's tables, and a lease.
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';
import { checkLease } from './check-lease.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'unpack', title: 'A packet in a packet', points: 3, file: 'unpack.ts', check: checkUnpack },
    { id: 'tunnel', title: 'Who is where', points: 5, file: 'tunnel.ts', check: checkTunnel },
    {
      id: 'lease',
      title: 'A lease, through a partition',
      points: 4,
      file: 'lease.ts',
      timeLimit: 40_000,
      check: checkLease,
    },
  ],
};

/** A process with a network namespace of its own: a host, or a box. @returns its pid in the sandbox */
async function apart(lab: Lab): Promise<number> {
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  void lab.command(['unshare', '-n', ...argv], { timeout: 60_000 });
  const pid = await lab.find(argv);
  if (pid === undefined) throw new Error('a process with a network of its own did not start');
  return lab.insidePid(pid)!;
}

const inside = (pid: number, argv: readonly string[]): string[] => ['nsenter', '-t', `${pid}`, '-n', ...argv];

async function shell(lab: Lab, script: string): Promise<void> {
  const { code, stderr } = await lab.command(['sh', '-e', '-c', script]);
  if (code !== 0) throw new Error(`the networks of the check could not be made: ${stderr}`);
}

async function checkUnpack(lab: Lab): Promise<void> {
  const { random } = lab;
  const [port, vni] = [random.integer(10_000, 30_000), random.integer(0x2_0000, 0xff_ffff)];
  const [near, far] = [`10.${random.integer(1, 99)}.0`, `10.${random.integer(100, 199)}.0`];
  const from = `${far}.${random.integer(2, 100)}`;
  const to = `${far}.${random.integer(101, 200)}`;
  const other = await apart(lab);
  await shell(
    lab,
    `ip link add near type veth peer name eth0 netns ${other}
    ip addr add ${near}.1/24 dev near; ip link set near up
    nsenter -t ${other} -n sh -e -c 'ip addr add ${near}.2/24 dev eth0; ip link set eth0 up
      ip link add tunnel type vxlan id ${vni} remote ${near}.1 dstport ${port}
      ip addr add ${from}/24 dev tunnel; ip link set tunnel up
      ip neighbour add ${to} lladdr 02:00:00:00:00:07 dev tunnel nud permanent'`,
  );
  const running = await lab.start([`${port}`]);
  const listens = async (): Promise<boolean> =>
    (await lab.command(['cat', '/proc/net/udp'])).stdout.includes(
      `:${port.toString(16).toUpperCase().padStart(4, '0')} `,
    );
  await lab.until(listens);
  const send = (argument: string, targetPort: number, address: string): string =>
    `socket.send(${argument}, ${targetPort}, '${address}', () => next());`;
  const sends = [
    // Of this, only a question by ARP goes through the tunnel.
    send("'x'", 9, `${far}.201`),
    send("'abc'", port, `${near}.1`),
    send('Buffer.alloc(60, Buffer.from([0, 0, 0, 8, 0]))', port, `${near}.1`),
    send('without', port, `${near}.1`),
    send('cut', port, `${near}.1`),
    send('further', port, `${near}.1`),
    send("'x'", 9, to),
  ];
  const furtherVni = (vni + 1) % 2 ** 24;
  const program = `const socket = require('dgram').createSocket('udp4');
    // Right in all but the flag.
    const without = Buffer.alloc(42); without[6] = 9; without.writeUInt16BE(0x0800, 20); without[22] = 0x45;
    // Right, but it ends before the addresses of its packet.
    const cut = Buffer.concat([Buffer.from([8]), without.subarray(1, 30)]);
    // The other bits of the flags are none of the receiver's business. RFC 7348, section 5
    const further = Buffer.concat([Buffer.from([0x88]), without.subarray(1)]);
    further.writeUIntBE(${furtherVni}, 4, 3);
    const sends = [${sends.map(each => `next => { ${each} }`).join(', ')}];
    const go = () => { const send = sends.shift(); if (send) send(go); else setTimeout(() => process.exit(), 200); };
    go();`;
  await lab.command(inside(other, ['node', '-e', program]));
  const line = `${vni} ${from} > ${to}`;
  await lab.until(() => running.stdout.includes(line), 1000);
  const printed = running.stdout.split('\n').filter(Boolean);
  lab.promise('prints', printed.includes(line), {
    promised: `a UDP packet that came through a tunnel is printed as ${line}`,
    seen: `it printed ${quote(running.stdout)}`,
    look: 'the picture in step 4: how many bytes are before the inner IP packet? The number has three bytes',
  });
  const furtherLine = `${furtherVni} 0.0.0.0 > 0.0.0.0`;
  lab.promise('flag', printed.includes(furtherLine), {
    promised: `a datagram with the flag 0x08 and another one is a tunnel's, too, and printed as ${furtherLine}`,
    seen: `it printed ${quote(running.stdout)}`,
    look: 'which bit of the first byte is meant; and does the program survive a datagram that is too short?',
  });
  lab.promise('only-ipv4', !printed.some(each => each.startsWith(`${vni} `) && each !== line), {
    promised: 'frames that carry no IPv4 packet are passed over',
    seen: `it printed ${quote(running.stdout)}`,
    look: 'the last two bytes of the Ethernet header',
  });
  lab.promise(
    'only-vxlan',
    printed.every(each => each === line || each === furtherLine),
    {
      promised: 'a datagram without the flag 0x08 is passed over, as is a short one',
      seen: `it printed ${quote(running.stdout)}`,
      look: 'the first byte of the datagram',
    },
  );
}

interface Entry {
  mac: string;
  dst?: string;
}

async function checkTunnel(lab: Lab): Promise<void> {
  const { random } = lab;
  const [one, two, box, far] = [await apart(lab), await apart(lab), await apart(lab), await apart(lab)];
  const [vni, mtu] = [random.integer(2, 0xff_ffff), random.integer(1300, 1480)];
  const [cable, net] = [`192.168.${random.integer(1, 250)}`, `10.${random.integer(1, 200)}.0`];
  const mac = (): string =>
    `02:${random.integer(0x10_0000, 0xff_ffff).toString(16)}`.replace(/(\w\w)(?=\w)/g, '$1:');
  const places = [2, 3, 4].map((last, index) => ({
    address: `${net}.${last}`,
    mac: `${mac()}:00:0${last}`,
    host: `${cable}.${index === 0 ? 1 : 2}`,
  }));
  const [own, theirs] = [places[0]!, places[1]!];
  const bridge = `br${random.integer(100, 999)}`;
  const host = (pid: number, address: string, inner: number, place: typeof own): string => `
    nsenter -t ${pid} -n sh -e -c 'ip addr add ${address}/24 dev cable; ip link set cable mtu ${mtu} up
      ip link add ${bridge} type bridge; ip link set ${bridge} up
      ip link add port type veth peer name eth0 netns ${inner}; ip link set port master ${bridge} up'
    nsenter -t ${inner} -n sh -e -c 'ip link set eth0 address ${place.mac} mtu ${mtu - 50} up
      ip addr add ${place.address}/24 dev eth0'`;
  await shell(
    lab,
    `ip link add cable netns ${one} type veth peer name cable netns ${two}
    ${host(one, own.host, box, own)}${host(two, theirs.host, far, theirs)}`,
  );
  const lines = (table: typeof places): string =>
    table.map(each => `${Object.values(each).join(' ')}\n`).join('');
  const runOn = (pid: number, address: string, table = places): ReturnType<Lab['run']> =>
    lab.run([bridge, `${vni}`, address, `${mtu}`], { wrapper: inside(pid, []), input: lines(table) });
  const ran = await runOn(one, own.host);
  await runOn(two, theirs.host);
  const there = async (...argv: string[]): Promise<string> => (await lab.command(inside(one, argv))).stdout;

  const [link] = JSON.parse((await there('ip', '-j', '-d', 'link', 'show', 'dev', 'tunnel')) || '[{}]');
  const data = link.linkinfo?.info_data ?? {};
  const right = data.id === vni && data.local === own.host && data.port === 4789 && link.master === bridge;
  lab.promise('tunnel', right && link.flags.includes('UP'), {
    promised: `there is a tunnel with the number ${vni}, from ${own.host}, port 4789, up, and a port of ${bridge}`,
    seen:
      link.ifname === undefined
        ? `there is none, and ${ending(ran)}`
        : quote(await there('ip', '-d', 'link', 'show', 'tunnel')),
    look: 'ip -d link show tunnel',
  });
  lab.promise('mtu', link.mtu === mtu - 50, {
    promised: `a cable with an MTU of ${mtu} leaves ${mtu - 50} for what is in the tunnel`,
    seen: `${link.mtu}`,
    look: 'how many bytes does the tunnel add?',
  });
  const forwarding = async (): Promise<Entry[]> =>
    (JSON.parse(await there('bridge', '-j', 'fdb', 'show', 'dev', 'tunnel')) as Entry[]).filter(
      ({ dst }) => dst !== undefined,
    );
  const hostOf = (entries: readonly Entry[], wanted: string): string | undefined =>
    entries.find(each => each.mac === wanted)?.dst;
  const entries = await forwarding();
  const others = places.slice(1);
  lab.promise(
    'forwarding',
    others.every(each => hostOf(entries, each.mac) === each.host),
    {
      promised: `the tunnel knows that ${others.map(each => `${each.mac} is on ${each.host}`).join(' and ')}`,
      seen: quote(JSON.stringify(entries)),
      look: 'bridge fdb show dev tunnel',
    },
  );
  lab.promise('own-left-out', hostOf(entries, own.mac) === undefined, {
    promised: `${own.mac} is on this host, and so the tunnel has no entry for it`,
    seen: quote(JSON.stringify(entries)),
    look: 'which lines of the table are about other hosts?',
  });
  lab.promise('no-flood', entries.every(each => each.mac !== '00:00:00:00:00:00') && data.learning !== true, {
    promised:
      'what the table does not name is sent to no host: there is no entry for all, and nothing is learned',
    seen: `learning: ${data.learning}, ${quote(JSON.stringify(entries))}`,
    look: 'who is asked if the table has the answer? learning: false',
  });
  const arrives = await reaches(lab, { from: box, to: far, address: theirs.address });
  lab.promise('arrives', arrives, {
    promised: `a box on ${own.host} reaches ${theirs.address} on ${theirs.host}`,
    seen: `it does not. The neighbours: ${quote(await there('ip', 'neighbour', 'show', 'dev', 'tunnel'))}`,
    look: 'who answers "who has"? addNeighbour, and proxy: true',
  });
  const moved = { ...places[2]!, host: `${cable}.${random.integer(3, 200)}` };
  const again = await runOn(one, own.host, [own, theirs, moved]);
  lab.promise('moved', hostOf(await forwarding(), moved.mac) === moved.host, {
    promised: `run again with a table in which ${moved.mac} is on ${moved.host}, it changes the entry`,
    seen: `${quote(JSON.stringify(await forwarding()))}, and ${ending(again)}`,
    look: 'what does createLink say about a link that is there already?',
  });
}

/** Whether a connection from one box to another is answered. */
async function reaches(
  lab: Lab,
  { from, to, address }: { from: number; to: number; address: string },
): Promise<boolean> {
  const word = lab.random.word();
  const server = `require('net').createServer(each => each.end('${word}')).listen(7000, () => console.log('ready'))`;
  const serving = await lab.arrange(inside(to, ['node', '-e', server]));
  await lab.until(() => serving.stdout.includes('ready'));
  const attempt = `require('net').connect({ host: '${address}', port: 7000, timeout: ${lab.patient(2500)} })`;
  const ends = ".on('timeout', () => process.exit(1)).on('error', each => console.log(each.code))";
  const asked = await lab.command(inside(from, ['node', '-e', `${attempt}${ends}.pipe(process.stdout)`]));
  return asked.stdout === word;
}
