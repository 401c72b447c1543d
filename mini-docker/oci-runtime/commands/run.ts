import { openCgroup } from '../../runtime/cgroups/create.ts';
import { type Command, flag, toggle } from '../command.ts';
import { type StoredState, stateFile } from '../container-state.ts';
import { createContainer } from '../create-container.ts';
import { deleteContainer } from '../delete-container.ts';
import type { Relay } from '../foreground.ts';
import { failing, startContainer } from '../start-container.ts';
import { createRequest, givesTerminal, START_OPTIONS } from '../start-options.ts';
import { becomeWaiter, type Remains } from '../waiter.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'create and run a container',
  options: {
    ...START_OPTIONS,
    detach: toggle("detach from the container's process", 'd'),
    keep: toggle('do not delete the container after it exits'),
    'no-subreaper': toggle('ignored: this runtime is no subreaper'),
  },
  run: invocation =>
    failing('mini-docker-runtime run failed', async () => {
      const request = createRequest(invocation);
      const detached = flag(invocation, 'detach');
      let relay: Relay | undefined;
      const keepMaster = async (fd: number): Promise<void> => {
        relay = (await foreground()).relayTerminal(fd);
      };
      const created = await createContainer({
        ...request,
        detached,
        onTerminal: givesTerminal(invocation) ?? (detached ? undefined : keepMaster),
      });
      try {
        await startContainer(request.root, created.state);
      } catch (error) {
        relay?.end();
        throw error;
      }
      created.launched.close();
      if (detached) return 0;
      const { state, directory, process: process_ } = created;
      const keep = flag(invocation, 'keep');
      if (relay === undefined && (keep || isSimple(state)))
        becomeWaiter(created.launched.pid, keep ? undefined : remainsOf(request.root, state, directory));
      const code = await (await foreground()).waitFor(process_);
      await relay?.drained;
      if (!keep) await deleteContainer(request.root, state);
      return code;
    }),
};

const foreground = () => import('../foreground.ts');

/** Whether nothing of a container outlives its first process, and no hook waits for its end. */
function isSimple({ spec }: StoredState): boolean {
  const hooks = spec.hooks?.poststop ?? [];
  return hooks.length === 0 && spec.linux.namespaces.some(({ type, path }) => type === 'pid' && !path);
}

function remainsOf(root: string, { id, spec }: StoredState, directory: string): Remains {
  return {
    directories: openCgroup(spec.linux.cgroupsPath)?.directories ?? [],
    files: [stateFile(directory)],
    ownDirectory: directory,
    command: [process.execPath, process.argv[1]!, '--root', root, 'delete', '--force', id],
  };
}
