import { readdirSync } from 'node:fs';
import { readStat } from '#linux';

/** The given processes and all their descendants, as far as they still exist. */
export function descendants(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  const alive = new Set<number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
    if (stat === undefined) continue;
    alive.add(pid);
    children.set(stat.ppid, [...(children.get(stat.ppid) ?? []), pid]);
  }
  const found: number[] = [];
  const rest = roots.filter(pid => alive.has(pid));
  for (let pid = rest.pop(); pid !== undefined; pid = rest.pop()) {
    found.push(pid);
    rest.push(...(children.get(pid) ?? []));
  }
  return found;
}
