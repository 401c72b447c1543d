// Runs a command in the foreground of our terminal, so that Ctrl-C reaches it and not us.   Run: node foreground.ts COMMAND…
import { addressOfResult, clone, getpid, IOCTL, type Item, ioctlBuffer, setpgid } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const command = process.argv.slice(2);

const steps: Item[] = [
  // TODO: a process group of its own, and the terminal (descriptor 0) to this group (TIOCSPGRP).
];
void [addressOfResult, getpid, IOCTL, ioctlBuffer, setpgid];

const pid = clone(0, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
