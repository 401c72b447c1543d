// The process that made something which outlives it if it is killed: its pid and start time are in the name.
import { randomBytes } from 'node:crypto';
import { readStat } from '#linux';

/** The name of a group, which identifies its maker by pid and start time. */
export function freshGroupName(): string {
  return `${process.pid}-${readStat()?.startTime}-${randomBytes(4).toString('hex')}`;
}

/** Whether the maker of a group still exists and will remove it. */
export function hasMaker(name: string): boolean {
  const [pid, startTime] = name.split('-').map(Number);
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.startTime === startTime;
}
