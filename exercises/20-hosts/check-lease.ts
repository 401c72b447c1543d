// The check of task lease: a store that can fall silent, and what is in it meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import { SIG } from '#linux';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

/** A store as in the chapter. Beyond that, it shows its keys, counts those that ended, and falls silent when asked. */
const STORE = `
const [port, second] = process.argv.slice(1).map(Number);
const keys = new Map(), leases = new Map();
let last = 1000, ended = 0, deaf = 0;
const sweep = () => {
  for (const [id, { until }] of leases) if (Date.now() > until) leases.delete(id);
  for (const [key, { lease }] of keys) if (lease !== undefined && !leases.has(lease)) { keys.delete(key); ended++; }
};
const text = base64 => Buffer.from(base64 ?? '', 'base64').toString();
const requests = {
  '/v3/lease/grant': ({ TTL }) => {
    leases.set(String(++last), { ms: TTL * second, until: Date.now() + TTL * second });
    return { ID: String(last), TTL: String(TTL) };
  },
  '/v3/lease/keepalive': ({ ID }) => {
    const lease = leases.get(ID);
    if (lease !== undefined) lease.until = Date.now() + lease.ms;
    return { result: { ID } };
  },
  '/v3/kv/put': ({ key, value, lease }) => {
    if (lease !== undefined && !leases.has(lease)) return undefined;
    keys.set(text(key), { value: text(value), lease });
    return {};
  },
  '/show': () => ({ keys: Object.fromEntries([...keys].map(([key, { value }]) => [key, value])), ended }),
  '/deaf': () => ({ until: deaf = Date.now() + 2.6 * second }),
};
require('http').createServer((request, response) => {
  sweep();
  if (Date.now() < deaf && request.url !== '/show') return;
  let body = '';
  request.on('data', part => { body += part; }).on('end', () => {
    const answer = requests[request.url]?.(JSON.parse(body || '{}'));
    response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {}));
  });
}).listen(port, '127.0.0.1', () => console.log('ready'));`;

interface Shown {
  keys: Record<string, string>;
  /** How many keys have ended with their lease. */
  ended: number;
}

export async function checkLease(lab: Lab): Promise<void> {
  const { random } = lab;
  const [port, key, value] = [random.integer(10_000, 30_000), `box/${random.word()}`, random.word()];
  const url = `http://127.0.0.1:${port}`;
  // Where even the program's rounds are slow, a second of the store lasts longer: three times as long with --patience 20.
  const second = Math.max(1000, Math.min(lab.patient(150), 5000));
  const store = await lab.arrange(['node', '-e', STORE, `${port}`, `${second}`]);
  await lab.until(() => store.stdout.includes('ready'));
  const ask = async (path: string): Promise<string> => {
    const asked = `fetch('${url}${path}').then(got => got.text()).then(text => console.log(text))`;
    return (await lab.command(['node', '-e', asked])).stdout;
  };
  const shown = async (): Promise<Shown> => JSON.parse(await ask('/show')) as Shown;
  const until = (holds: (shown: Shown) => boolean): Promise<boolean> =>
    lab.until(async () => holds(await shown()), 5000);
  const has = ({ keys }: Shown): boolean => keys[key] === value;
  const running = await lab.start([url, key, value]);
  const present = await until(has);
  lab.promise('present', present, {
    promised: `the store has the key ${key}, with the value ${value}`,
    seen: `it has ${quote(JSON.stringify((await shown()).keys))}`,
    look: 'lease/grant, then kv/put: key and value in base64',
  });
  await sleep(2.3 * second);
  const later = await shown();
  lab.promise('kept', has(later) && later.ended === 0, {
    promised: 'more than two seconds later it has been there all the time',
    seen: has(later) ? 'its lease has ended, and it was written anew' : 'it is gone',
    look: 'lease/keepalive: who has to come back before the two seconds are over?',
  });
  await ask('/deaf');
  const over = await Promise.race([running.ended, sleep(3 * second)]);
  lab.promise('stays', over === undefined, {
    promised: 'a store that does not answer is no reason to end',
    seen: over === undefined ? '' : ending(over),
    look: 'what does fetch throw, and who catches it?',
  });
  const back = await until(has);
  lab.promise('back', back, {
    promised: 'when the store answers again, the key is back',
    seen: 'it is not there',
    look: 'does a request that got no answer end? And what is a lease worth that the store has forgotten?',
  });
  running.kill(SIG.KILL);
  await running.ended;
  const gone = await until(({ keys }) => !(key in keys));
  lab.promise('gone', gone, {
    promised: 'two seconds after the program was killed, the key is gone',
    seen: 'it is still there',
    look: 'what is the key written under? kv/put { …, lease }',
  });
}
