// The checks of task dns: questions are asked in the sandbox, where another name server notes what it is asked.
import { type Answer, decode, encode, type Packet, type RecordType } from 'dns-packet';
import { type Lab, quote } from '../../learn/grader/lab.ts';

/** Answers every question with one address, or with NXDOMAIN if its name begins with an n. Prints what it receives. */
const OTHER = `
const [port, address] = process.argv.slice(1);
const server = require('node:dgram').createSocket('udp4').bind(Number(port), '127.0.0.1');
server.on('listening', () => console.log('ready'));
server.on('message', (query, from) => {
  console.log(query.toString('hex'));
  const answer = Buffer.from(query);
  const isThere = query[13] !== 0x6e;
  answer.writeUInt16BE(isThere ? 0x8180 : 0x8183, 2);
  answer.writeUInt16BE(isThere ? 1 : 0, 6);
  const record = Buffer.concat([Buffer.from('c00c00010001000000050004', 'hex'), Buffer.from(address.split('.').map(Number))]);
  server.send(isThere ? Buffer.concat([answer, record]) : answer, from.port, from.address);
});`;

/** Sends packets one after another. Prints what comes back for each, or nothing if nothing comes. */
const CLIENT = `
const [port, wait, ...queries] = process.argv.slice(1);
(async () => {
  for (const query of queries) {
    const socket = require('node:dgram').createSocket('udp4');
    const answer = new Promise(resolve => {
      socket.on('message', resolve);
      setTimeout(resolve, Number(wait));
    });
    socket.send(Buffer.from(query, 'hex'), Number(port), '127.0.0.1');
    console.log(((await answer) ?? Buffer.alloc(0)).toString('hex'));
    socket.close();
  }
  process.exit();
})();`;

export async function checkDns(lab: Lab): Promise<void> {
  const { random } = lab;
  const [port, otherPort] = [random.integer(20_000, 25_000), random.integer(25_001, 30_000)];
  const address = (): string =>
    `10.${random.integer(1, 250)}.${random.integer(1, 250)}.${random.integer(1, 250)}`;
  const [single, several, foreign] = [address(), [address(), address(), address()], address()];
  const [one, many] = [`a${random.word()}`, `b${random.word()}`];
  const names = `/tmp/${random.word()}.json`;
  await lab.command(['sh', '-c', `cat > ${names}`], {
    input: JSON.stringify({ [one]: [single], [many]: several }),
  });
  const other = await lab.arrange(['node', '-e', OTHER, `${otherPort}`, foreign]);
  const running = await lab.start([names, `${port}`, `${otherPort}`]);

  const send = async (
    queries: readonly Buffer[],
    wait = lab.patient(3000),
  ): Promise<(Packet | undefined)[]> => {
    const words = queries.map(query => query.toString('hex'));
    const { stdout } = await lab.command(['node', '-e', CLIENT, `${port}`, `${wait}`, ...words]);
    return stdout.split('\n').slice(0, queries.length).map(decoded);
  };
  const question = (name: string, type: RecordType = 'A', id = random.integer(1, 65_000)): Buffer =>
    encode({ type: 'query', id, flags: 256, questions: [{ type, name }] });
  const asked = (): Packet[] =>
    other.stdout
      .split('\n')
      .slice(1)
      .flatMap(line => decoded(line) ?? []);
  await lab.until(async () => other.stdout !== '' && (await listens(lab, port)));

  const id = random.integer(1, 65_000);
  const [own] = await send([question(one, 'A', id)]);
  const isRight = own?.type === 'response' && own.id === id && codeOf(own) === 0;
  const repeats = own?.questions?.[0]?.name === one;
  lab.promise('own-name', isRight && repeats && addressesIn(own).join() === single, {
    promised: `the question for ${one} gets an answer with the same id and question, and the address ${single}`,
    seen: shown(own),
    look: 'what an answer repeats: id and questions; and that its type is response',
  });
  const [capital] = await send([question(one.toUpperCase())]);
  lab.promise('letters', addressesIn(capital).join() === single, {
    promised: `${one.toUpperCase()} is the same name as ${one}`,
    seen: shown(capital),
    look: 'name.toLowerCase()',
  });
  const [ipv6] = await send([question(one, 'AAAA')]);
  const wasAsked = asked().some(({ questions }) => questions?.[0]?.name.toLowerCase() === one);
  lab.promise(
    'other-type',
    ipv6 !== undefined && codeOf(ipv6) === 0 && ipv6.answers?.length === 0 && !wasAsked,
    {
      promised: `a question of type AAAA for ${one} gets an answer without records and without an error, and is not passed on`,
      seen: `${shown(ipv6)}${wasAsked ? '; the other server was asked for it' : ''}`,
      look: 'the name exists, and has no such address',
    },
  );
  const six = await send([1, 2, 3, 4, 5, 6].map(() => question(many)));
  const firsts = several.map(each => six.filter(answer => addressesIn(answer)[0] === each).length);
  const complete = six.every(answer => addressesIn(answer).toSorted().join() === several.toSorted().join());
  lab.promise('in-turn', complete && firsts.every(times => times === 2), {
    promised: `six questions for ${many} get all three addresses each time, and each of them is the first twice`,
    seen: `the first addresses: ${six.map(answer => addressesIn(answer)[0] ?? 'none').join(', ')}`,
    look: 'clients take the first address',
  });
  const name = `c${random.word()}.${random.word()}`;
  const [theirs] = await send([question(name)]);
  lab.promise('passed-on', addressesIn(theirs).join() === foreign, {
    promised: `${name} is not ours: the answer is that of the other server, ${foreign}`,
    seen: shown(theirs),
    look: 'ask()',
  });
  const missing = `n${random.word()}.${random.word()}`;
  const [nowhere] = await send([question(missing)]);
  lab.promise('not-there', nowhere !== undefined && codeOf(nowhere) === 3, {
    promised: `the other server says NXDOMAIN for ${missing}, and so does the program`,
    seen: shown(nowhere),
    look: 'its answers come back as they are',
  });
  await send([Buffer.from(random.word()), Buffer.from('000000000001', 'hex')], 200);
  const [after] = await send([question(one)]);
  lab.promise('goes-on', addressesIn(after).join() === single, {
    promised: 'after two packets that are no DNS, it still answers',
    seen: shown(after),
    look: 'decode() throws',
  });
  running.kill(9);
}

/** Whether a UDP socket of the sandbox has this port. */
async function listens(lab: Lab, port: number): Promise<boolean> {
  const { stdout } = await lab.command(['cat', '/proc/net/udp']);
  return stdout.includes(`:${port.toString(16).toUpperCase()} `);
}

function decoded(hex: string): Packet | undefined {
  try {
    return hex === '' ? undefined : decode(Buffer.from(hex, 'hex'));
  } catch {
    return undefined;
  }
}

const codeOf = ({ flags = 0 }: Packet): number => flags & 15;

function addressesIn(packet: Packet | undefined): string[] {
  return (packet?.answers ?? []).flatMap((answer: Answer) => (answer.type === 'A' ? [answer.data] : []));
}

function shown(packet: Packet | undefined): string {
  if (packet === undefined) return 'no answer that is DNS';
  const code = codeOf(packet);
  const records = (packet.answers ?? []).length;
  const addresses = addressesIn(packet).join(', ') || 'no address';
  return `an answer with code ${code}, ${records} records, ${addresses}, for ${quote(packet.questions?.[0]?.name ?? '')}`;
}
