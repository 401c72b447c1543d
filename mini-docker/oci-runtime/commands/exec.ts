import { ExpectedError } from '../../formats/errors.ts';
import type { Process, Spec } from '../../formats/oci/runtime-spec.ts';
import { checkedProcess, readJson } from '../bundle.ts';
import { type Command, flag, type Invocation, text, texts, toggle, value, values } from '../command.ts';
import { readState, statusOf } from '../container-state.ts';
import { checkTerminal, writePidFile } from '../create-container.ts';
import { execInContainer } from '../exec-container.ts';
import type { Relay } from '../foreground.ts';
import { failing } from '../start-container.ts';
import { givesTerminal, preservedFds, START_OPTIONS } from '../start-options.ts';
import { becomeWaiter } from '../waiter.ts';

export const command: Command = {
  args: '<container-id> <command> [command options]  || -p process.json <container-id>',
  summary: 'execute new process inside the container',
  least: 1,
  takesProgram: true,
  options: {
    'console-socket': START_OPTIONS['console-socket']!,
    cwd: value('current working directory in the container'),
    env: values('set environment variables', 'e'),
    tty: toggle('allocate a pseudo-TTY', 't'),
    user: value('UID (format: <uid>[:<gid>])', 'u'),
    'additional-gids': values('additional gids', 'g'),
    process: value('path to the process.json', 'p'),
    detach: toggle("detach from the container's process", 'd'),
    'pid-file': START_OPTIONS['pid-file']!,
    'process-label': value('set the SELinux label of the process'),
    apparmor: value('set the AppArmor profile of the process'),
    'no-new-privs': toggle('set the no new privileges value for the process'),
    cap: values('add a capability to the bounding set for the process', 'c'),
    'preserve-fds': START_OPTIONS['preserve-fds']!,
    cgroup: values('not supported'),
    'ignore-paused': toggle('allow exec in a paused container'),
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
  const detached = flag(invocation, 'detach');
  let relay: Relay | undefined;
  const keep = async (fd: number): Promise<void> => {
    relay = (await import('../foreground.ts')).relayTerminal(fd);
  };
  const onTerminal = givesTerminal(invocation) ?? (detached ? undefined : keep);
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
