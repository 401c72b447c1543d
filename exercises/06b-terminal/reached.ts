// Prints the processes that Ctrl-C at the terminal of process PID would reach.   Run: node reached.ts PID
import { readdirSync, readFileSync } from 'node:fs';

const [asked = 'self'] = process.argv.slice(2);

/** The numbers in /proc/PID/stat after the name, which may contain spaces: state, ppid, pgrp, session, tty_nr, tpgid, … */
function numbersOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    // It has ended in the meantime.
    return [];
  }
}

const processes = readdirSync('/proc').filter(name => /^\d+$/.test(name));
// TODO: only those in the foreground of its terminal; none if it has no terminal.
const reached = processes.filter(pid => pid === asked);
void numbersOf;

for (const pid of reached) console.log(pid);
