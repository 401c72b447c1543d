// Further programs in running containers: POST /containers/ID/exec and /exec/ID/start.

import { randomBytes } from 'node:crypto';
import type { ExecCreateBody, ExecInspect } from '../../formats/engine-api/containers.ts';
import { badParameter, conflict, ExpectedError, unavailable } from '../../formats/errors.ts';
import type { Process } from '../../formats/oci/runtime-spec.ts';
import { isTooLong, tooLong } from '../../formats/path-length.ts';
import { descriptorsRunOut } from '../../linux/descriptor-room.ts';
import type { Execution } from '../../runtime/container.ts';
import type { ExecsApi } from '../core/engine.ts';
import { noSuchExec } from '../core/errors.ts';
import { currentIdentity } from '../files/identities.ts';
import { linkedVariables } from '../networks/links.ts';
import { containerCapabilities } from '../spec/capabilities.ts';
import { environment } from '../spec/environment.ts';
import { processCapabilities } from '../spec/spec.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer, Run } from '../state/live-container.ts';
import { execError } from '../state/start-errors.ts';
import { connectExec } from './exec-attachment.ts';

interface Exec {
  id: string;
  live: LiveContainer;
  /** The run of the container that the exec belongs to; it ends with that run. */
  run: Run;
  body: ExecCreateBody;
  state: 'created' | 'running' | 'ended';
  execution?: Execution;
  exitCode: number | null;
}

/** Finished execs that are kept, for clients that ask for the exit code later. */
const KEPT = 256;

export function execsApi(context: EngineContext): ExecsApi {
  const execs = new Map<string, Exec>();

  const get = (id: string): Exec => {
    const exec = execs.get(id);
    if (!exec || exec.live.removed) throw noSuchExec(id);
    if (exec.state === 'created' && exec.live.run !== exec.run) throw noSuchExec(id);
    return exec;
  };

  return {
    async create(container, body) {
      const live = context.containers.get(container);
      const run = runOf(live, container);
      const [program] = body.Cmd ?? [];
      if (program === undefined) throw badParameter('No exec command specified');
      if (body.WorkingDir && !body.WorkingDir.startsWith('/')) {
        throw badParameter(
          `the working directory '${body.WorkingDir}' is invalid, it needs to be an absolute path`,
        );
      }
      if (isTooLong(body.WorkingDir ?? '')) throw badParameter(tooLong(body.WorkingDir!));
      const id = randomBytes(32).toString('hex');
      forgetOld(execs);
      execs.set(id, { id, live, run, body, state: 'created', exitCode: null });
      live.execIds.add(id);
      execEvent(context, execs.get(id)!, `exec_create: ${commandOf(body)}`);
      return { Id: id };
    },

    async start(id, options) {
      const exec = get(id);
      if (exec.state !== 'created') throw conflict(`exec ${id} has already been started`);
      const run = runOf(exec.live, exec.live.id);
      // Other requests must still be served, and containers started.
      if (descriptorsRunOut(2)) {
        throw unavailable(
          'the daemon has too many open files for another exec: end some, or raise its limit (LimitNOFILE, ulimit -n)',
        );
      }
      exec.state = 'running';
      try {
        await options.ready?.();
        const process = await execProcess(context, { exec, run, consoleSize: options.consoleSize });
        const stdin = !options.detach && exec.body.AttachStdin === true;
        exec.execution = await run.container.exec({ process, stdin });
      } catch (cause) {
        exec.state = 'ended';
        const error = execError(cause, exec.body);
        exec.exitCode = error instanceof ExpectedError ? (error.exitCode ?? 126) : 126;
        exec.live.execIds.delete(id);
        throw error;
      }
      execEvent(context, exec, `exec_start: ${commandOf(exec.body)}`);
      const ended = exec.execution.exited.then(exit => {
        exec.state = 'ended';
        exec.exitCode = exit.code ?? 255;
        exec.live.execIds.delete(id);
        execEvent(context, exec, 'exec_die', { exitCode: String(exec.exitCode) });
      });
      const attachment = connectExec(context, {
        live: exec.live,
        body: exec.body,
        execution: exec.execution,
        ended,
      });
      if (!options.detach) return attachment;
      attachment.detach();
      return undefined;
    },

    async inspect(id) {
      return inspectExec(get(id));
    },

    async resize(id, size) {
      const { execution, state } = get(id);
      if (!execution || state !== 'running') throw conflict(`exec ${id} is not running`);
      execution.resize(size);
    },
  };
}

function runOf(live: LiveContainer, reference: string): Run {
  const { status } = live.record.state;
  if (status === 'paused') {
    throw conflict(`Container ${reference} is paused, unpause the container before exec`);
  }
  if (status === 'restarting') {
    throw conflict(`container ${live.id} is restarting, wait until the container is running`);
  }
  if (live.run === undefined || status !== 'running') {
    throw conflict(`container ${live.id} is not running`);
  }
  return live.run;
}

async function execProcess(
  context: EngineContext,
  options: { exec: Exec; run: Run; consoleSize: [number, number] | undefined },
): Promise<Process> {
  const { exec, run } = options;
  const { body, live } = exec;
  const { config, hostConfig } = live.record;
  const own = run.spec.process;
  const user = currentIdentity(run.container.pid, {
    user: body.User || config.User || '',
    groupAdd: hostConfig.GroupAdd ?? [],
  });
  const capabilities = containerCapabilities({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged: hostConfig.Privileged === true || body.Privileged === true,
    available: context.facts.capabilities,
  });
  const tty = body.Tty === true;
  const [rows, columns] = options.consoleSize ?? body.ConsoleSize ?? [0, 0];
  return {
    ...own,
    terminal: tty,
    ...(tty && rows > 0 && columns > 0 ? { consoleSize: { height: rows, width: columns } } : {}),
    cwd: body.WorkingDir || own.cwd,
    env: environment({
      hostname: config.Hostname ?? '',
      tty,
      own: [...linkedVariables(context, exec.live.record), ...(config.Env ?? []), ...(body.Env ?? [])],
      home: user.home,
    }),
    args: body.Cmd!,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    capabilities: processCapabilities(capabilities, user.uid),
  };
}

function inspectExec({ id, live, body, state, execution, exitCode }: Exec): ExecInspect {
  const [entrypoint = '', ...rest] = body.Cmd ?? [];
  return {
    ID: id,
    ContainerID: live.id,
    Running: state === 'running',
    ExitCode: exitCode,
    ProcessConfig: {
      entrypoint,
      arguments: rest,
      privileged: body.Privileged === true,
      tty: body.Tty === true,
      ...(body.User ? { user: body.User } : {}),
    },
    OpenStdin: body.AttachStdin === true,
    OpenStdout: body.AttachStdout === true,
    OpenStderr: body.AttachStderr === true,
    CanRemove: false,
    DetachKeys: body.DetachKeys ?? '',
    Pid: execution?.pid ?? 0,
  };
}

function forgetOld(execs: Map<string, Exec>): void {
  if (execs.size < KEPT) return;
  for (const [id, { state, live }] of execs) {
    if (execs.size < KEPT) return;
    if (state === 'ended' || live.removed) execs.delete(id);
  }
}

function commandOf(body: ExecCreateBody): string {
  return (body.Cmd ?? []).join(' ');
}

function execEvent(
  context: EngineContext,
  exec: Exec,
  action: string,
  more: Record<string, string> = {},
): void {
  containerEvent(context, exec.live, action, { execID: exec.id, ...more });
}
