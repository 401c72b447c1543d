// Executes a further process in a running container, with the caller's streams; the caller inherits it.
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { ExpectedError } from '../formats/errors.ts';
import type { Process } from '../formats/oci/runtime-spec.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { takeFd } from '../linux/pidfd.ts';
import { openProcess } from '../linux/proc/identity.ts';
import { ensureProfile } from '../runtime/apparmor.ts';
import { openCgroup } from '../runtime/cgroups/create.ts';
import { FD, FD_END } from '../runtime/descriptors.ts';
import { execProgram } from '../runtime/exec.ts';
import { lastCapability } from '../runtime/last-capability.ts';
import { setOomScore } from '../runtime/oom-score.ts';
import { publicState, type StoredState } from './container-state.ts';
import { isOwnable } from './create-container.ts';
import { withHome } from './home.ts';
import { launch } from './launch.ts';
import { typesOf } from './namespaces-of.ts';
import { giveToSupervisor } from './supervisor.ts';

export async function execInContainer(options: {
  state: StoredState;
  process: Process;
  preserveFds: number;
  onTerminal: ((master: number) => void | Promise<void>) | undefined;
}): Promise<{ pid: number; process: HeldProcess }> {
  const { state, preserveFds: passed, onTerminal } = options;
  const { spec, id } = state;
  using lent = new DisposableStack();
  const pidfd = state.process && openProcess(state.process);
  if (pidfd === undefined) throw new ExpectedError('conflict', 'cannot exec in a stopped container');
  lent.adopt(pidfd, closeSync);
  const process = withHome(options.process, `/proc/${state.process!.pid}/root`);
  const cgroup = openCgroup(spec.linux.cgroupsPath);
  ensureProfile(process.apparmorProfile);
  const { sections, pid, listener } = execProgram({
    // Those that it really has: it may share some with this program.
    spec: {
      ...spec,
      linux: { ...spec.linux, namespaces: typesOf(state.process!.pid).map(type => ({ type })) },
    },
    process,
    stdin: 'inherited',
    pipes: [0, 1, 2].filter(isOwnable),
    enterCgroup: cgroup?.version === 2 ? 'born in it' : { join: cgroup?.joinSteps() ?? [] },
    lastCapability: lastCapability(),
    passed,
    keepGroups: readFileSync(`/proc/${state.process!.pid}/setgroups`, 'utf8').startsWith('deny'),
  });
  const group =
    cgroup?.version === 2
      ? [
          [lent.adopt(openSync(cgroup.directories[0]!, constants.O_RDONLY), closeSync), FD.cgroup] as [
            number,
            number,
          ],
        ]
      : [];
  const launched = await launch({
    sections,
    pid,
    descriptors: [
      [pidfd, FD.container],
      ...group,
      ...Array.from({ length: passed }, (_, index): [number, number] => [3 + index, FD_END + index]),
    ],
    argv: ['mini-docker-exec', id],
    program: process.args[0]!,
  });
  try {
    const waits = launched.arrive();
    const held = HeldProcess.of(launched.pid);
    if (!waits || held === undefined) throw new Error('the process was killed before its program ran');
    const score = process.oomScoreAdj ?? spec.process.oomScoreAdj;
    if (score !== undefined) setOomScore(launched.pid, score, 'unable to start container process');
    if (listener !== undefined)
      giveToSupervisor({
        seccomp: spec.linux.seccomp!,
        pidfd: held.pidfd,
        number: launched.result(listener),
        pid: launched.pid,
        state: publicState(state, 'running'),
      });
    if (process.terminal === true) await onTerminal?.(takeFd(held.pidfd, FD.terminal));
    launched.open();
    launched.arrive();
    return { pid: launched.pid, process: held };
  } finally {
    launched.close();
  }
}
