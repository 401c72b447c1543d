// systemd's own checker reads our units. Its package is unpacked, not installed: this machine may have another init.
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled } from '../mini-docker/images/testing/archives.ts';
import { MAIN, NODE } from './support/daemon.ts';

describe.skipIf(!isInstalled('apt-get'))('systemd-analyze', () => {
  const directory = mkdtempSync(join(tmpdir(), 'systemd-test-'));
  const units = join(directory, 'etc/systemd/system');

  beforeAll(() => {
    // apt-get download gives up its rights, and writes as another user.
    chmodSync(directory, 0o777);
    execFileSync('apt-get', ['download', '-qq', 'systemd', 'libsystemd-shared'], { cwd: directory });
    for (const name of readdirSync(directory).filter(name => name.endsWith('.deb')))
      execFileSync('dpkg-deb', ['-x', name, '.'], { cwd: directory });
    execFileSync(NODE, [MAIN, 'system', 'install', '--root', directory]);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function verify(): string {
    const libraries = join(
      directory,
      'usr/lib',
      readdirSync(join(directory, 'usr/lib')).find(name => name.endsWith('-gnu'))!,
    );
    return execFileSync(
      'sh',
      [
        '-c',
        '"$0" verify "$@" 2>&1 || true',
        join(directory, 'usr/bin/systemd-analyze'),
        ...readdirSync(units).map(name => join(units, name)),
      ],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          LD_LIBRARY_PATH: `${libraries}/systemd:${libraries}`,
          SYSTEMD_UNIT_PATH: `${join(directory, 'lib/systemd/system')}:`,
        },
      },
    );
  }

  test('finds nothing wrong with the units', () => {
    expect(verify()).toBe('');
  });

  test('would find it', () => {
    appendFileSync(join(units, 'mini-docker.service'), '[Service]\nNoSuchSetting=1\n');
    expect(verify()).toContain('NoSuchSetting');
  });
});
