import { CLONE, clone, MS, mount } from '#linux';
import { program, statusOf } from '../01-process/program.ts';

const pid = clone(CLONE.NEWNS, [
  mount({ target: '/', flags: MS.REC | MS.PRIVATE }),
  mount({ source: 'none', target: '/mnt', type: 'tmpfs' }),
  ...program(process.argv.slice(2)),
]);
process.exitCode = await statusOf(pid);
