// The checks of exercise 10: links and packets.
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'cable', title: 'A cable', points: 4, file: 'cable.ts', check: checkCable },
    {
      id: 'publish',
      title: 'A port, both ways',
      points: 4,
      file: 'publish.ts',

      check: checkPublish,
    },
  ],
};

/** A process with a network namespace of its own. @returns its pid in the sandbox */
async function apart(lab: Lab): Promise<number> {
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  void lab.command(['unshare', '-n', ...argv], { timeout: 60_000 });
  const pid = await lab.find(argv);
  if (pid === undefined) throw new Error('a process with a network of its own did not start');
  return lab.insidePid(pid)!;
}

/** Makes some links and removes one, so that the index of the next link cannot be predicted. */
function otherLinks(pairs: number): string {
  return `for n in $(seq ${pairs}); do ip link add x$n type veth peer name y$n; done; ip link del x1`;
}

async function checkCable(lab: Lab): Promise<void> {
  const { random } = lab;
  const pid = await apart(lab);
  const name = `c${random.integer(1000, 9999)}`;
  const address = `10.${random.integer(1, 80)}.${random.integer(0, 255)}.${random.integer(2, 250)}`;
  await lab.command([
    'sh',
    '-c',
    `${otherLinks(random.integer(1, 5))}; nsenter -t ${pid} -n sh -c '${otherLinks(random.integer(6, 9))}'`,
  ]);
  const ran = await lab.run([`${pid}`, name, address]);
  const there = async (...argv: string[]): Promise<string> =>
    (await lab.command(['nsenter', '-t', `${pid}`, '-n', ...argv])).stdout;
  const eth0 = await there('ip', '-o', '-4', 'addr', 'show', 'eth0');
  lab.promise('address', eth0.includes(`inet ${address}/24 `), {
    promised: `the namespace has a link eth0 with the address ${address}/24`,
    seen: eth0 === '' ? `it has no eth0 with an address, and ${ending(ran)}` : quote(eth0.trim()),
    look: 'nsenter -t PID -n ip addr',
  });
  const outside = (await lab.command(['ip', '-o', 'link', 'show', name])).stdout;
  const cable = await there('ip', '-o', 'link', 'show', 'eth0');
  lab.promise('up', outside.includes(',UP') && cable.includes(',UP') && !cable.includes('NO-CARRIER'), {
    promised: `both ends are up, ${name} outside and eth0 inside`,
    seen: `${quote(outside.trim())} and ${quote(cable.trim())}`,
    look: 'a new link is down; call setLink(…, { up: true }) on both sides',
  });
  const lo = await there('ip', '-o', 'link', 'show', 'lo');
  lab.promise('lo', lo.includes(',UP'), {
    promised: 'lo is up in the namespace, so that 127.0.0.1 answers',
    seen: quote(lo.trim()),
    look: 'lo is down at first, too: LOOPBACK_INDEX',
  });
}

async function checkPublish(lab: Lab): Promise<void> {
  const { random } = lab;
  const [server, client] = [await apart(lab), await apart(lab)];
  const [port, serverPort] = [random.integer(2000, 9000), random.integer(10_000, 30_000)];
  const [near, far] = [`10.${random.integer(1, 80)}.1`, `10.${random.integer(100, 180)}.1`];
  const word = random.word();
  const cable = (name: string, pid: number, network: string): string => `
    ip link add ${name} type veth peer name eth0 netns ${pid}
    ip addr add ${network}.1/24 dev ${name}; ip link set ${name} up
    nsenter -t ${pid} -n sh -c 'ip addr add ${network}.2/24 dev eth0; ip link set eth0 up; ip route add default via ${network}.1'`;
  const script = `${cable('near', server, near)}${cable('far', client, far)}\necho 1 > /proc/sys/net/ipv4/ip_forward`;
  await lab.command(['sh', '-c', script]);
  const answer = `require('net').createServer(each => each.end('${word}')).listen(${serverPort}, () => console.log('ready'))`;
  const serving = await lab.arrange(['nsenter', '-t', `${server}`, '-n', 'node', '-e', answer]);
  await lab.until(() => serving.stdout.includes('ready'));
  const rules = await lab.run([`${port}`, `${near}.2:${serverPort}`]);
  const loaded = await lab.command(['nft', '-f', '-'], { input: rules.stdout });
  lab.promise('loads', loaded.code === 0, {
    promised: 'nft accepts the rules that it prints',
    seen: quote(loaded.stderr.trim()),
    look: 'the line that nft complains about',
  });
  const ask = (address: string): string[] => {
    const attempt = `require('net').connect({ host: '${address}', port: ${port}, timeout: ${lab.patient(1500)} })`;
    const ends = ".on('timeout', () => process.exit(1)).on('error', each => console.log(each.code))";
    return ['node', '-e', `${attempt}${ends}.pipe(process.stdout)`];
  };
  const fromOutside = await lab.command(['nsenter', '-t', `${client}`, '-n', ...ask(`${far}.1`)]);
  lab.promise('from-outside', fromOutside.stdout === word, {
    promised: `another machine that connects to ${far}.1, port ${port}, reaches the server`,
    seen: ending(fromOutside),
    look: 'the prerouting hook; nft list ruleset',
  });
  const fromHere = await lab.command(ask(`${far}.1`));
  lab.promise('from-the-machine', fromHere.stdout === word, {
    promised: `a program on the machine itself that connects to ${far}.1, port ${port}, reaches it too`,
    seen: ending(fromHere),
    look: "the machine's own packets never pass prerouting",
  });
  const other = await lab.command(ask(`${far}.2`));
  lab.promise('others-alone', other.stdout !== word, {
    promised: `a connection to port ${port} of another machine, ${far}.2, does not end up at our server`,
    seen: ending(other),
    look: 'fib daddr type local: is the packet addressed to this machine?',
  });
}
