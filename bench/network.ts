// Network throughput with iperf3: between two containers, and from the host to a published port, in turns.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median } from './measure.ts';
import { installed, type Peer } from './peers.ts';

const run = promisify(execFile);

/** Mounts of the host's iperf3 and its libraries, for a container of busybox. */
const WITH_IPERF = ['/usr', '/lib', '/lib64'].flatMap(path => ['-v', `${path}:${path}:ro`]);
const PORT = 5201;
const SECONDS = 1;

interface Case {
  title: string;
  /** Throughput in bits per second. */
  measure(peer: Peer): Promise<number>;
}

/** Prints medians of `rounds`, or a note when iperf3 is not installed. */
export async function networkThroughput(peers: readonly Peer[], rounds: number): Promise<void> {
  console.log('\niperf3, bits a second');
  if (!installed('iperf3')) {
    console.log('  (iperf3 is not installed)');
    return;
  }
  try {
    for (const peer of peers) await startServer(peer);
    for (const { title, measure } of [betweenContainers, hostToPublished]) {
      const rates = new Map<string, number[]>(peers.map(({ name }) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const peer of peers) rates.get(peer.name)!.push(await measure(peer));
      }
      const [ours = 0] = [...rates.values()].map(median);
      for (const [name, all] of rates) {
        const ratio =
          name === peers[0]!.name ? '' : `${peers[0]!.name} / this: ${(ours / median(all)).toFixed(3)}`;
        console.log(
          `  ${title.padEnd(28)} ${name.padEnd(14)} ${(median(all) / 1e9).toFixed(2).padStart(6)} G  ${ratio}`,
        );
      }
    }
  } finally {
    for (const peer of peers) await command(peer, 'rm', '-f', 'iperf-server', 'iperf-client');
  }
}

async function startServer(peer: Peer): Promise<void> {
  const server = ['iperf3', '-s', '-p', String(PORT)];
  await command(
    peer,
    'run',
    '-d',
    '--name',
    'iperf-server',
    '-p',
    `${PORT}:${PORT}`,
    ...WITH_IPERF,
    'busybox',
    ...server,
  );
  await command(peer, 'run', '-d', '--name', 'iperf-client', ...WITH_IPERF, 'busybox', 'sleep', '1000');
}

const betweenContainers: Case = {
  title: 'container to container',
  async measure(peer) {
    const address = await inspect(peer, '{{.NetworkSettings.IPAddress}}');
    return rateOf(await command(peer, 'exec', 'iperf-client', ...client(address)));
  },
};

/** Uses a host address that is not on lo: for 127.0.0.1, docker relays bytes through a program. */
const hostToPublished: Case = {
  title: 'host to published port',
  async measure(peer) {
    const gateway = await inspect(peer, '{{.NetworkSettings.Gateway}}');
    const { stdout } = await run('nsenter', ['-t', String(peer.pid), '-n', ...client(gateway)]);
    return rateOf(stdout);
  },
};

const client = (address: string) => [
  'iperf3',
  '-J',
  '-t',
  String(SECONDS),
  '-c',
  address,
  '-p',
  String(PORT),
];

const inspect = async (peer: Peer, format: string) =>
  (await command(peer, 'inspect', '-f', format, 'iperf-server')).trim();

function rateOf(json: string): number {
  return JSON.parse(json).end.sum_received.bits_per_second;
}

async function command(peer: Peer, ...args: string[]): Promise<string> {
  const [program = '', ...before] = peer.command;
  return (await run(program, [...before, ...args], { env: peer.env, maxBuffer: 1 << 24 })).stdout;
}
