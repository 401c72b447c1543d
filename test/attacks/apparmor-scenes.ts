// What AppArmor's profile promises. Run by test/apparmor.long.test.ts, under a kernel that has it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tarOf } from '../../mini-docker/images/testing/archives.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';
import { parserDirectory } from '../vm/image.ts';

const PROFILE = 'mini-docker-default (enforce)';
/** With a link to the parser, which may go. */
const tools = mkdtempSync(join(tmpdir(), 'apparmor-'));
const PATH = [tools, process.env.PATH].join(delimiter);

/** --uidmap 0:100000:65536 */
const MAPPED = { UidMap: ['0:100000:65536'], GidMap: ['0:100000:65536'] };

let daemon: TestDaemon;
let engine: EngineClient;
beforeAll(async () => {
  symlinkSync(join(parserDirectory()!, 'apparmor_parser'), join(tools, 'apparmor_parser'));
  daemon = await startDaemon({ env: { PATH } });
  engine = engineClient(daemon);
}, 200_000);
afterAll(() => daemon.stop());

const labelOf = (pid: number): string => readFileSync(`/proc/${pid}/attr/apparmor/current`, 'utf8').trim();
const parser = (profile: string): void =>
  void execFileSync('apparmor_parser', ['--replace', '--skip-cache'], { input: profile, env: { PATH } });

async function start(HostConfig: object): Promise<{ pid: number; profile: string; id: string }> {
  const id = await engine.run(['sleep', '1000'], { HostConfig });
  const { State, AppArmorProfile } = (await engine.inspect(id)) as unknown as {
    State: { Pid: number };
    AppArmorProfile: string;
  };
  return { id, pid: State.Pid, profile: AppArmorProfile };
}

async function execPid(id: string, body: object = {}): Promise<number> {
  const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, {
    Cmd: ['sleep', '1001'],
    ...body,
  });
  await engine.json('POST', `/exec/${Id}/start`, { Detach: true });
  return (await engine.json<{ Pid: number }>('GET', `/exec/${Id}/json`)).Pid;
}

test('containers, execs and health checks are confined by our profile, and info says so', async () => {
  const info = await engine.json<{ SecurityOptions: string[]; Warnings: string[] }>('GET', '/info');
  expect(info.SecurityOptions).toContain('name=apparmor');
  for (const host of [{}, { Init: true, SecurityOpt: ['no-new-privileges'] }, { IDMappings: MAPPED }]) {
    const { id, pid, profile } = await start(host);
    expect(profile).toBe('mini-docker-default');
    expect(labelOf(pid)).toBe(PROFILE);
    expect(labelOf(await execPid(id))).toBe(PROFILE);
    expect(labelOf(await execPid(id, { Privileged: true }))).toBe(PROFILE);
    await engine.json('POST', `/containers/${id}/stop?t=0`);
  }
  expect(labelOf(daemon.pid)).toBe('unconfined');
});

test('a RUN of a build is confined, too', async () => {
  const content = 'FROM busybox\nRUN cat /proc/self/attr/current\n';
  const said = await new Promise<string>((resolve, reject) => {
    const path = '/build?networkmode=none&q=0';
    const headers = { 'content-type': 'application/x-tar' };
    request({ socketPath: daemon.socket, method: 'POST', path, headers }, async reply =>
      resolve(String(Buffer.concat(await reply.toArray()))),
    )
      .on('error', reject)
      .end(tarOf({ path: 'Dockerfile', content }));
  });
  expect(said).toContain(PROFILE);
});

test('--security-opt apparmor= and --privileged do what they do in Docker', async () => {
  parser(
    'profile mine flags=(attach_disconnected) { file, capability, network, signal, deny /etc/hostname r, }',
  );
  const own = await start({ SecurityOpt: ['apparmor=mine'] });
  expect([own.profile, labelOf(own.pid)]).toEqual(['mine', 'mine (enforce)']);
  for (const host of [{ Privileged: true }, { SecurityOpt: ['apparmor=unconfined'] }]) {
    const free = await start(host);
    expect([free.profile, labelOf(free.pid)]).toEqual(['unconfined', 'unconfined']);
  }
  const missing = await engine.create(['true'], { HostConfig: { SecurityOpt: ['apparmor=not-there'] } });
  const { status, body } = await engine.ask('POST', `/containers/${missing}/start`);
  expect(status).toBe(500);
  expect(String(body)).toContain('not-there');
});

test('the profile refuses what a capability would allow', async () => {
  const script = `mount -t tmpfs none /tmp && echo mounted
    echo 1 > /proc/sys/kernel/panic_on_oops && echo panicked
    echo 0 > /proc/sysrq-trigger && echo sysrq
    echo y > /proc/self/comm && echo comm; echo z > /tmp/file && echo file; true`;
  const host = { CapAdd: ['ALL'], MaskedPaths: [], ReadonlyPaths: [] };
  const outputOf = async (HostConfig: object): Promise<string[]> => {
    const id = await engine.run(['sh', '-c', script], { HostConfig });
    await engine.wait(id);
    return (await engine.logs(id, 'stdout=1')).trim().split('\n');
  };
  expect(await outputOf(host)).toEqual(['comm', 'file']);
  const free = await outputOf({ ...host, SecurityOpt: ['apparmor=unconfined', 'seccomp=unconfined'] });
  expect(free.slice(0, 2)).toEqual(['mounted', 'panicked']);
  writeFileSync('/proc/sys/kernel/panic_on_oops', '0');
});

test('a profile that was removed from the kernel is loaded again for the next container', async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json'))
    await engine.json('DELETE', `/containers/${Id}?force=1`);
  writeFileSync('/sys/kernel/security/apparmor/.remove', 'mini-docker-default');
  expect(labelOf((await start({})).pid)).toBe(PROFILE);
});

test('without apparmor_parser containers run, and info says that they are not confined', async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json'))
    await engine.json('DELETE', `/containers/${Id}?force=1`);
  writeFileSync('/sys/kernel/security/apparmor/.remove', 'mini-docker-default');
  rmSync(join(tools, 'apparmor_parser'));
  await daemon.end('SIGTERM');
  await daemon.begin();
  const info = await engine.json<{ SecurityOptions: string[]; Warnings: string[] }>('GET', '/info');
  expect(info.SecurityOptions).not.toContain('name=apparmor');
  expect(info.Warnings.join()).toContain('apparmor_parser is not installed');
  await engine.run(['true']);
  const refused = await engine.ask('POST', '/containers/create', {
    Image: 'busybox',
    HostConfig: { SecurityOpt: ['apparmor=mine'] },
  });
  expect(refused.status).toBe(400);
}, 200_000);
