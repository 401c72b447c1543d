import { CLONE, clone, mount } from '#linux';
import { program, statusOf } from '../01-process/program.ts';

const pid = clone(CLONE.NEWNS, [
  mount({ source: 'none', target: '/mnt', type: 'tmpfs' }),
  ...program(process.argv.slice(2)),
]);
process.exitCode = await statusOf(pid);
