// Runs a command on a terminal of its own.   Run: node on-a-pty.ts ROWSxCOLUMNS COMMAND…
import { closeSync } from 'node:fs';
import { clone, dup3, IOCTL, type Item, ioctl, openPty, PtyStream, setsid } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [size = '', ...command] = process.argv.slice(2);
const [rows = 24, columns = 80] = size.split('x').map(Number);

// TODO: openPty() takes a size: rows and columns.
void [rows, columns];
const { master, slave } = openPty();

const steps: Item[] = [
  // TODO: a session of its own, whose controlling terminal is the slave (TIOCSCTTY); and the three streams.
];
void [dup3, IOCTL, ioctl, setsid];

const pid = clone(0, [...steps, ...program(command)]);
closeSync(slave);
const screen = new PtyStream(master);
screen.pipe(process.stdout);
process.stdin.on('data', typed => screen.write(typed)).on('end', () => screen.write('\x04'));
screen.on('close', () => process.stdin.destroy());
process.exitCode = await statusOf(pid);
