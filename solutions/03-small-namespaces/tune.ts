// Runs a command in a box in which a kernel setting has another value.   Run: node tune.ts SETTING=VALUE COMMAND…
import { AT, CLONE, clone, close, type Item, O, openat, resultOf, writeText } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [assignment = '', ...command] = process.argv.slice(2);
const [setting = '', value = ''] = assignment.split('=');

/** Whether the setting belongs to one of the box's namespaces; all others are the machine's. */
function isOurs(name: string): boolean {
  return (
    /^kernel\.(hostname|domainname|msg(max|mnb|mni)|sem|shm(all|max|mni)|shm_rmid_forced)$/.test(name) ||
    name.startsWith('fs.mqueue.')
  );
}

function writeSetting(name: string, text: string): Item[] {
  const file = openat(AT.FDCWD, `/proc/sys/${name.replaceAll('.', '/')}`, O.WRONLY | O.CLOEXEC, 0);
  return [file, writeText(resultOf(file), text), close(resultOf(file))];
}

if (isOurs(setting)) {
  const pid = clone(CLONE.NEWUTS | CLONE.NEWIPC, [...writeSetting(setting, value), ...program(command)]);
  process.exitCode = await statusOf(pid);
} else {
  console.error(`tune: ${setting} belongs to the kernel, which the box shares with the machine`);
  process.exitCode = 125;
}
