// A newcomer's Debian 12, with systemd, AppArmor and control groups of version 2: what the project promises, typed there
// as its user types it. Run by name (npm run test:machine, npm run test:machine:arm64), since it takes more than an hour,
// emulated.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { architectureToTest, imageOf } from './machine/image.ts';
import { type Machine, startMachine } from './machine/machine.ts';
import { repository } from './vm/image.ts';

const MINUTE = 60_000;
const architecture = architectureToTest();

// Each test goes on where the one before has stopped. Its commands have limits of their own.
describe.skipIf(!architecture)('a fresh Debian 12', { timeout: 90 * MINUTE, retry: 0 }, () => {
  let machine: Machine;
  /** As /home/newcomer's owner, in the clone. @returns what the command wrote; a failure fails the test */
  const does = async (line: string, timeout = 5 * MINUTE): Promise<string> => {
    const { code, output } = await machine.run(`cd mini-docker && { ${line}\n}`, { timeout });
    expect(code, `${line}\n${output}`).toBe(0);
    return output;
  };
  const fails = async (line: string): Promise<string> => {
    const { code, output } = await machine.run(`cd mini-docker && { ${line}\n}`);
    expect(code, output).not.toBe(0);
    return output;
  };
  /** Runs until it says what is wanted. */
  const until = async (line: string, pattern: RegExp): Promise<void> => {
    await does(
      `for i in $(seq 100); do { ${line}; } 2>&1 | grep -qE '${pattern.source}' && exit; sleep 1; done; ${line}; exit 1`,
    );
  };

  beforeAll(async () => {
    machine = await startMachine(architecture!, join(imageOf(architecture!).directory, 'console.log'));
    const bundle = execFileSync('git', ['bundle', 'create', '-q', '-', 'HEAD'], {
      cwd: repository,
      maxBuffer: 2 ** 28,
    });
    const { code, output } = await machine.run(
      `cat >project && git clone -q project mini-docker &&
      sudo ln -s $PWD/mini-docker/bin/mini-docker $PWD/mini-docker/bin/learn /usr/local/bin`,
      { input: bundle },
    );
    expect(code, output).toBe(0);
  }, 20 * MINUTE);
  afterAll(() => machine?.[Symbol.asyncDispose]());

  test('has systemd, AppArmor, control groups of version 2 only, and an older Node', async () => {
    expect(await does('systemctl is-system-running; cat /sys/module/apparmor/parameters/enabled')).toBe(
      'running\nY\n',
    );
    expect(await does('stat -fc %T /sys/fs/cgroup; node --version')).toMatch(/^cgroup2fs\nv18\./);
  });

  test('npm start shows what a container is, also without sudo', async () => {
    const said = await does('sudo npm start', 40 * MINUTE);
    expect(said).toMatch(/pid namespace +pid:\[\d+\] +pid:\[\d+\]/);
    expect(said).toMatch(/memory, bytes +\d+ +67108864/);
    expect(said).toMatch(/processes at most +\d+ +20/);
    expect(said).toContain('Where to go next');
    expect(await does('npm start')).toMatch(/pid namespace +pid:.*Where to go next/s);
  });

  test('a published port, limits, exec, AppArmor', async () => {
    await does(
      "sudo mini-docker run -d --name web --restart always --memory 64m -p 8080:80 busybox sh -c 'mkdir /www; echo hello > /www/index.html; exec httpd -f -h /www'",
    );
    await until('wget -qO- http://127.0.0.1:8080/', /^hello$/);
    const pid = (await does("sudo mini-docker inspect -f '{{.State.Pid}}' web")).trim();
    expect(await does(`sudo cat /proc/${pid}/attr/current`)).toBe('mini-docker-default (enforce)\n');
    expect(await does(`cat /sys/fs/cgroup$(cut -d: -f3 /proc/${pid}/cgroup)/memory.max`)).toBe('67108864\n');
    expect(await does('sudo mini-docker exec web cat /proc/self/attr/current')).toContain(
      'mini-docker-default',
    );
    const limits = 'cd /sys/fs/cgroup; cat cpu.max cpuset.cpus.effective pids.max';
    expect(
      await does(
        `sudo mini-docker run --rm --cpus 0.5 --cpuset-cpus 0 --pids-limit 9 busybox sh -c '${limits}'`,
      ),
    ).toBe('50000 100000\n0\n9\n');
  });

  test('a container beyond its memory is killed, and why says so', async () => {
    await fails('sudo mini-docker run --name hungry --memory 16m busybox tail /dev/zero');
    expect(await does('sudo mini-docker why hungry; sudo mini-docker rm hungry')).toContain(
      "hungry was killed by the kernel's OOM killer",
    );
  });

  test('build, with more layers than one page of mount options names, and compose', async () => {
    await does(
      `mkdir -p ~/many && cd ~/many && { echo FROM busybox; for i in $(seq 70); do echo "RUN echo $i >/f$i"; done; } >Dockerfile
      sudo mini-docker build -q -t deep .`,
      20 * MINUTE,
    );
    expect(await does("sudo mini-docker run --rm deep sh -c 'cat /f1 /f70'")).toBe('1\n70\n');
    await does(`mkdir -p ~/two && cd ~/two && printf 'services:\\n  one: {image: busybox, command: sleep 1000}\\n  two: {image: busybox, command: sleep 1000}\\n' >compose.yaml
      sudo mini-docker compose up -d && sudo mini-docker compose exec -T two ping -c1 one && sudo mini-docker compose down`);
  });

  test("docker's own client drives the daemon", async () => {
    await does(
      'dpkg-deb --fsys-tarfile /var/cache/apt/archives/docker.io_*.deb | tar -x -C ~ ./usr/bin/docker',
    );
    const docker = 'sudo DOCKER_HOST=unix:///run/mini-docker/mini-docker.sock ~/usr/bin/docker';
    expect(await does(`${docker} ps --format {{.Names}}`)).toBe('web\n');
    expect(await does(`${docker} run --rm --memory 32m busybox cat /sys/fs/cgroup/memory.max`)).toBe(
      '33554432\n',
    );
  });

  describe('with the service', () => {
    const active = () => does('systemctl is-active mini-docker.service mini-docker.socket || true');

    test('system install takes over, and containers go on', async () => {
      expect(await does('sudo mini-docker system install')).toMatch(
        /stopped the daemon .*; its containers go on/,
      );
      expect(await active()).toBe('active\nactive\n');
      expect(await does('sudo mini-docker ps --format {{.Names}}')).toBe('web\n');
      await until('systemctl status --no-pager mini-docker', /Status: "1 container runs"/);
    });

    test('stopped, it starts when a client connects; killed and restarted, it finds its containers', async () => {
      await does('sudo systemctl stop mini-docker.service 2>/dev/null');
      expect(await active()).toBe('inactive\nactive\n');
      expect(await does('wget -qO- http://127.0.0.1:8080/')).toBe('hello\n');
      expect(await does('sudo mini-docker ps --format {{.Names}}')).toBe('web\n');
      expect(await active()).toBe('active\nactive\n');
      await does('sudo systemctl restart mini-docker');
      await does('sudo systemctl kill --signal KILL --kill-whom main mini-docker');
      await until('systemctl is-active mini-docker', /^active$/);
      expect(await does('sudo mini-docker ps --format {{.Names}}')).toBe('web\n');
    });

    test('reload reads daemon.json, a broken one changes nothing, and the journal has both', async () => {
      await does(
        `sudo mkdir -p /etc/mini-docker; echo '{"labels":["a=b"]}' | sudo tee /etc/mini-docker/daemon.json; sudo systemctl reload mini-docker`,
      );
      await until('sudo mini-docker info', /a=b/);
      await does(
        'echo \'{"labels":[]},\' | sudo tee /etc/mini-docker/daemon.json; sudo systemctl reload mini-docker',
      );
      await until(
        'sudo journalctl --no-pager -u mini-docker',
        /SIGHUP: the configuration stays as it was.*line 1/,
      );
      expect(await does('sudo mini-docker info')).toContain('a=b');
      expect(await does('sudo journalctl --no-pager -u mini-docker')).toContain(
        'SIGHUP: the configuration was read again',
      );
      await does('sudo rm -r /etc/mini-docker');
    });
  });

  describe('without root', () => {
    test('without the packages that it needs, a container has one id, and info says what to install', async () => {
      expect(await does('mini-docker run --rm busybox id')).toContain('uid=0(root)');
      expect(await does('mini-docker info')).toMatch(/uidmap.*passt|passt.*uidmap/s);
    });

    test('with them, and in the care of systemd, limits work, and the service starts again beside its containers', async () => {
      await does('sudo apt-get install -qq -y uidmap passt', 20 * MINUTE);
      expect(await does('mini-docker system install --user')).toContain('stopped the daemon');
      await does(
        "mini-docker run -d --name mine --restart always --memory 64m -p 8081:80 busybox sh -c 'mkdir /www; echo rootless > /www/index.html; exec httpd -f -h /www'",
      );
      await until('wget -qO- http://127.0.0.1:8081/', /^rootless$/);
      const pid = (await does("mini-docker inspect -f '{{.State.Pid}}' mine")).trim();
      const group = (await does(`cut -d: -f3 /proc/${pid}/cgroup`)).trim();
      expect(group).toMatch(/^\/user\.slice\/user-1000\.slice\/user@1000\.service\/mini-docker\//);
      expect(await does(`cat /sys/fs/cgroup${group}/memory.max /proc/${pid}/uid_map`)).toMatch(
        /^67108864\n +0 +1000 +1\n +1 /,
      );
      await does('systemctl --user restart mini-docker');
      expect(await does('mini-docker ps --format {{.Names}}')).toBe('mine\n');
    });

    test("Debian 12's AppArmor forbids pasta: info says so, and slirp4netns is the way out", async () => {
      expect(await does('mini-docker info')).toMatch(/AppArmor.*install slirp4netns/);
      await does('sudo apt-get install -qq -y slirp4netns', 20 * MINUTE);
      await does('systemctl --user restart mini-docker; sudo ip address add 203.0.113.1/32 dev lo');
      expect(await does('mini-docker exec mine wget -qO- http://203.0.113.1:8080/')).toBe('hello\n');
      await does('sudo loginctl enable-linger');
    });
  });

  test('after a reboot, containers that are always to run do, of root and of the user', async () => {
    await machine.reboot();
    await until('sudo mini-docker ps --format "{{.Names}} {{.Status}}"', /^web Up/);
    await until('wget -qO- http://127.0.0.1:8080/', /^hello$/);
    await until('mini-docker ps --format "{{.Names}} {{.Status}}"', /^mine Up/);
    await until('wget -qO- http://127.0.0.1:8081/', /^rootless$/);
  });

  test('doctor finds the machine fit for the course, and all solutions pass', async () => {
    expect(await does('sudo learn doctor')).toContain('You can begin');
    expect(await does('sudo learn grade solutions --patience 20', 60 * MINUTE)).not.toMatch(/✗|fail/i);
  });

  test.each(['test/limits.test.ts', 'test/system-install.test.ts', 'test/user-namespace.test.ts'])(
    'npm test: %s',
    async file => {
      await does(
        `sudo sh bin/setup test && sudo env PATH=$PWD/node_modules/.bin:$PATH vitest run --testTimeout 300000 --hookTimeout 600000 ${file}`,
        40 * MINUTE,
      );
    },
  );

  test('system uninstall leaves no unit, no group and no mount', async () => {
    await does(
      'mini-docker rm -f mine; mini-docker system uninstall --user; sudo mini-docker rm -f web; sudo mini-docker system uninstall',
    );
    expect(
      await does(
        "systemctl list-units --all --no-legend 'mini-docker*'; systemctl --user list-units --all --no-legend 'mini-docker*'",
      ),
    ).toBe('');
    expect(
      await does(
        'find /sys/fs/cgroup/mini-docker /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/mini-docker -mindepth 1 -type d 2>/dev/null || true',
      ),
    ).toBe('');
    expect(await does('grep mini-docker /proc/self/mountinfo || true')).toBe('');
    expect(await does('ip -br link show type veth; ps -C mini-docker-monitor -o pid= || true')).toBe('');
  });

  test("the kernel's log has no complaint of ours", async () => {
    const log = await does('sudo dmesg');
    // The watchdog complains where the machine that emulates this one is too busy.
    expect(log).not.toMatch(
      /unrecognized mount option|overlayfs: (?!.*upper fs)|WARNING:|(?<!watchdog: )BUG:|apparmor="DENIED"(?!.*profile="passt")/,
    );
  });
});
