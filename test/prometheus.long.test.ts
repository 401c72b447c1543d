// Debian's Prometheus scrapes a daemon. Its package is unpacked, not installed, which would start a service.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isInstalled } from '../mini-docker/images/testing/archives.ts';
import { startDaemon } from './support/daemon.ts';
import { engineClient, eventually } from './support/engine-client.ts';

function unpackPrometheus(directory: string): string {
  // apt-get download gives up its rights, and writes as another user.
  chmodSync(directory, 0o777);
  execFileSync('apt-get', ['download', '-qq', 'prometheus'], { cwd: directory });
  const deb = readdirSync(directory).find(name => name.endsWith('.deb'))!;
  execFileSync('dpkg-deb', ['-x', deb, '.'], { cwd: directory });
  return join(directory, 'usr/bin/prometheus');
}

test.skipIf(!isInstalled('apt-get'))(
  'Prometheus scrapes the daemon, and finds nothing to complain of',
  async () => {
    await using daemon = await startDaemon({ args: ['--metrics-addr', '127.0.0.1:9323'] });
    const directory = mkdtempSync(join(tmpdir(), 'prometheus-test-'));
    const inside = ['-t', String(daemon.namespaces), '-n'];
    const program = unpackPrometheus(directory);
    const config = join(directory, 'prometheus.yml');
    writeFileSync(
      config,
      `{global: {scrape_interval: 1s}, scrape_configs: [{job_name: engine, static_configs: [{targets: ['127.0.0.1:9323']}]}]}`,
    );
    await engineClient(daemon).run(['sleep', '1000'], { Labels: {} });
    const metrics = execFileSync('nsenter', [...inside, 'curl', '-s', 'http://127.0.0.1:9323/metrics']);
    // promtool's lint dislikes names that dockerd has given; anything but lint exits with another code.
    const lint = execFileSync(
      'sh',
      ['-c', '"$0" check metrics 2>&1 || [ $? = 3 ]', `${directory}/usr/bin/promtool`],
      {
        input: metrics,
        encoding: 'utf8',
      },
    );
    expect(lint).not.toContain('error while linting');
    const prometheus = spawn(
      'nsenter',
      [
        ...inside,
        program,
        `--config.file=${config}`,
        `--storage.tsdb.path=${directory}/data`,
        '--web.listen-address=127.0.0.1:9090',
      ],
      { stdio: 'ignore' },
    );
    try {
      const query = async (text: string): Promise<string> => {
        const url = `http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(text)}`;
        try {
          const answer = execFileSync('nsenter', [...inside, 'curl', '-s', url], { encoding: 'utf8' });
          return JSON.parse(answer).data.result[0]?.value[1] ?? '';
        } catch {
          // It does not listen yet.
          return '';
        }
      };
      await eventually(
        () => query('up{job="engine"}'),
        value => value === '1',
      );
      const running = () => query('engine_daemon_container_states_containers{state="running"}');
      await eventually(running, value => value === '1');
      expect(Number(await query('count(container_processes)'))).toBe(1);
    } finally {
      const ended = new Promise(resolve => prometheus.once('exit', resolve));
      prometheus.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true });
    }
  },
);
