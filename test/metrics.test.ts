// GET /metrics, as Prometheus asks for it.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon({ args: ['--metrics-addr', '127.0.0.1:9323'] });
  engine = engineClient(daemon);
});
afterAll(() => daemon.stop());

const scrape = async (): Promise<string> =>
  execFileSync(
    'nsenter',
    ['-t', String(daemon.namespaces), '-n', 'wget', '-qO-', 'http://127.0.0.1:9323/metrics'],
    {
      encoding: 'utf8',
    },
  );

/** The value of the sample whose labels contain all of these. */
function sample(text: string, name: string, ...labels: string[]): number | undefined {
  const line = text
    .split('\n')
    .find(each => new RegExp(`^${name}[{ ]`).test(each) && labels.every(label => each.includes(label)));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
}

test('every line is one that Prometheus can read', async () => {
  await engine.run(['sleep', '1000'], { Labels: { odd: 'a"b\\c' } });
  const text = await scrape();
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? [-+.\dInfe]+)$/,
    );
  }
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('a container is counted by state, and its use is that of its control group', async () => {
  const id = await engine.run(['sh', '-c', 'while :; do :; done'], {
    HostConfig: { Memory: 64 << 20, PidsLimit: 20 },
  });
  const of = async (name: string) => sample(await scrape(), name, `id="${id}"`);
  await eventually(
    async () => (await of('container_cpu_usage_seconds_total')) ?? 0,
    seconds => seconds > 0.1,
  );
  expect(await of('container_spec_memory_limit_bytes')).toBe(64 << 20);
  expect(await of('container_processes')).toBe(1);
  expect(await of('container_memory_usage_bytes')).toBeGreaterThan(10_000);
  const running = sample(await scrape(), 'engine_daemon_container_states_containers', 'state="running"')!;
  await engine.json('POST', `/containers/${id}/pause`);
  const text = await scrape();
  expect(sample(text, 'engine_daemon_container_states_containers', 'state="running"')).toBe(running - 1);
  expect(sample(text, 'engine_daemon_container_states_containers', 'state="paused"')).toBe(1);
  await engine.ask('DELETE', `/containers/${id}?force=1`);
  expect(await of('container_cpu_usage_seconds_total')).toBeUndefined();
});

test('packets, OOM kills, restarts, health, starts and requests are counted', async () => {
  const id = await engine.run(['sh', '-c', 'ping -c 3 -i 0.1 172.17.0.1; sleep 1000'], {
    Healthcheck: { Test: ['CMD', 'true'], Interval: 100_000_000 },
    HostConfig: { NetworkMode: 'bridge' },
  });
  const oom = await engine.run(['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=100M count=1'], {
    HostConfig: {
      Memory: 8 << 20,
      MemorySwap: 8 << 20,
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 },
    },
  });
  await eventually(scrape, text => {
    return (
      sample(text, 'container_network_receive_packets_total', `id="${id}"`, 'interface="eth0"')! >= 3 &&
      sample(text, 'container_health_status', `id="${id}"`) === 1 &&
      sample(text, 'container_oom_events_total', `id="${oom}"`)! >= 1 &&
      sample(text, 'container_restarts_total', `id="${oom}"`) === 1
    );
  });
  const text = await scrape();
  expect(
    sample(text, 'engine_daemon_container_actions_seconds_count', 'action="start"'),
  ).toBeGreaterThanOrEqual(2);
  expect(sample(text, 'engine_daemon_container_actions_seconds_bucket', 'action="start"', 'le="+Inf"')).toBe(
    sample(text, 'engine_daemon_container_actions_seconds_count', 'action="start"'),
  );
  expect(
    sample(text, 'engine_daemon_http_requests_total', 'method="POST"', 'code="201"'),
  ).toBeGreaterThanOrEqual(2);
  expect(sample(text, 'engine_daemon_health_checks_total')).toBeGreaterThanOrEqual(1);
  expect(sample(text, 'process_resident_memory_bytes')).toBeGreaterThan(10 << 20);
});

test('the address of the metrics serves nothing else, and the API serves them, too', async () => {
  const status = (path: string) =>
    execFileSync('nsenter', [
      ...['-t', String(daemon.namespaces), '-n', 'curl', '-s', '-o', '/dev/null', '-w', '%{http_code}'],
      `http://127.0.0.1:9323${path}`,
    ]).toString();
  expect([status('/metrics'), status('/containers/json'), status('/v1.41/info')]).toEqual([
    '200',
    '404',
    '404',
  ]);
  expect((await engine.ask('GET', '/metrics')).body.toString()).toContain('engine_daemon_engine_info');
});
