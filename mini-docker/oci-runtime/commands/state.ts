import type { Command } from '../command.ts';
import { publicState, readState, statusOf } from '../container-state.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'output the state of a container',
  run({ globals: { root }, args }) {
    const stored = readState(root, args[0]!);
    const { ociVersion, id, pid, status, bundle, annotations } = publicState(stored, statusOf(root, stored));
    const rootfs = stored.spec.root.path;
    const shown = {
      ociVersion,
      id,
      pid,
      status,
      bundle,
      rootfs,
      created: stored.created,
      annotations,
      owner: '',
    };
    process.stdout.write(JSON.stringify(shown, null, 2));
  },
};
