import { closeSync } from 'node:fs';
import { ExpectedError } from '../../formats/errors.ts';
import type { Process, Spec } from '../../formats/oci/runtime-spec.ts';
import { checkedProcess, readJson } from '../bundle.ts';
import { type Command, flag, type Invocation, text, texts } from '../command.ts';
import { readState, statusOf } from '../container-state.ts';
import { checkTerminal, writePidFile } from '../create-container.ts';
import { execInContainer } from '../exec-container.ts';
import type { Relay } from '../foreground.ts';
import { failing } from '../start-container.ts';
import { preservedFds, START_OPTIONS, terminalTo } from '../start-options.ts';
import { becomeWaiter } from '../waiter.ts';

export const command: Command = {
  args: '<container-id> <command> [command options]  || -p process.json <container-id>',
  summary: 'execute new process inside the container',
  count: [1, Number.POSITIVE_INFINITY],
  takesProgram: true,
  options: {
    'console-socket': START_OPTIONS['console-socket']!,
    cwd: { type: 'string', value: 'value', help: 'current working directory in the container' },
    env: { type: 'string', short: 'e', multiple: true, value: 'value', help: 'set environment variables' },
    tty: { type: 'boolean', short: 't', help: 'allocate a pseudo-TTY' },
    user: { type: 'string', short: 'u', value: 'value', help: 'UID (format: <uid>[:<gid>])' },
    'additional-gids': {
      type: 'string',
      short: 'g',
      multiple: true,
      value: 'value',
      help: 'additional gids',
    },
    process: { type: 'string', short: 'p', value: 'value', help: 'path to the process.json' },
    detach: { type: 'boolean', short: 'd', help: "detach from the container's process" },
    'pid-file': START_OPTIONS['pid-file']!,
    'process-label': { type: 'string', value: 'value', help: 'set the SELinux label of the process' },
    apparmor: { type: 'string', value: 'value', help: 'set the AppArmor profile of the process' },
    'no-new-privs': { type: 'boolean', help: 'set the no new privileges value for the process' },
    cap: {
      type: 'string',
      short: 'c',
      multiple: true,
      value: 'value',
      help: 'add a capability to the bounding set for the process',
    },
    'preserve-fds': START_OPTIONS['preserve-fds']!,
    cgroup: { type: 'string', multiple: true, value: 'value', help: 'not supported' },
    'ignore-paused': { type: 'boolean', help: 'allow exec in a paused container' },
  },
  run: async invocation => {
    try {
      return await failing('exec failed', () => execute(invocation));
    } catch (error) {
      throw Object.assign(error as Error, { exitCode: 255 });
    }
  },
};

async function execute(invocation: Invocation): Promise<number> {
  const { root } = invocation.globals;
  const [id, ...args] = invocation.args;
  const state = readState(root, id!);
  const status = statusOf(root, state);
  if (status === 'stopped' || status === 'creating')
    throw new ExpectedError('conflict', `cannot exec in a ${status} container`);
  if (status === 'paused' && !flag(invocation, 'ignore-paused'))
    throw new ExpectedError(
      'conflict',
      'cannot exec in a paused container (use --ignore-paused to override)',
    );
  if (texts(invocation, 'cgroup').length > 0)
    throw new ExpectedError(
      'notImplemented',
      "--cgroup: this runtime executes in the container's own control group",
    );
  const process_ = requestedProcess(invocation, state.spec, args);
  const socket = text(invocation, 'console-socket');
  const detached = flag(invocation, 'detach');
  const give = (fd: number): void => {
    terminalTo(socket!)(fd);
    closeSync(fd);
  };
  let relay: Relay | undefined;
  const keep = async (fd: number): Promise<void> => {
    relay = (await import('../foreground.ts')).relayTerminal(fd);
  };
  const onTerminal = socket !== undefined ? give : detached ? undefined : keep;
  checkTerminal(process_.terminal === true, { detached, onTerminal });
  const executed = await execInContainer({
    state,
    process: process_,
    preserveFds: preservedFds(invocation),
    onTerminal,
  });
  const pidFile = text(invocation, 'pid-file');
  if (pidFile !== undefined) writePidFile(pidFile, executed.pid);
  if (detached) return 0;
  if (relay === undefined) becomeWaiter(executed.pid);
  const { waitFor } = await import('../foreground.ts');
  const code = await waitFor(executed.process);
  await relay.drained;
  return code;
}

function requestedProcess(invocation: Invocation, spec: Spec, args: string[]): Process {
  const file = text(invocation, 'process');
  if (file !== undefined) return checkedProcess(readJson(file) as Partial<Process>);
  if (args.length === 0) throw new ExpectedError('badParameter', 'process args cannot be empty');
  const { process: own } = spec;
  const user = text(invocation, 'user');
  const [uid, gid] = user === undefined ? [own.user.uid, own.user.gid] : idsOf(user);
  const gids = texts(invocation, 'additional-gids').map(each => idsOf(each)[0]);
  const added = texts(invocation, 'cap').map(name => `CAP_${name.toUpperCase().replace(/^CAP_/, '')}`);
  const { capabilities } = own;
  const add = (names: string[]): string[] => [...new Set([...names, ...added])];
  const label = text(invocation, 'process-label');
  const profile = text(invocation, 'apparmor');
  const { consoleSize: _, ...others } = own;
  return checkedProcess({
    ...others,
    args,
    cwd: text(invocation, 'cwd') ?? own.cwd,
    env: [...own.env, ...texts(invocation, 'env')],
    terminal: flag(invocation, 'tty'),
    user: { ...own.user, uid, gid, additionalGids: [...(own.user.additionalGids ?? []), ...gids] },
    ...(flag(invocation, 'no-new-privs') ? { noNewPrivileges: true } : {}),
    ...(label === undefined ? {} : { selinuxLabel: label }),
    ...(profile === undefined ? {} : { apparmorProfile: profile }),
    ...(capabilities === undefined || added.length === 0
      ? {}
      : {
          capabilities: {
            bounding: add(capabilities.bounding),
            effective: add(capabilities.effective),
            permitted: add(capabilities.permitted),
            inheritable: capabilities.inheritable,
            ambient: capabilities.ambient,
          },
        }),
  });
}

function idsOf(given: string): [uid: number, gid: number] {
  const match = /^(\d+)(?::(\d+))?$/.exec(given);
  if (match === null) throw new ExpectedError('badParameter', `parsing ${given} as int for uid failed`);
  return [Number(match[1]), Number(match[2] ?? 0)];
}
