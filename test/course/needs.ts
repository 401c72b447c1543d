// What a transcript may ask of the machine: needs=strace, needs=cgroup-v2.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openEscapes } from '../../learn/sandbox/escapes.ts';
import { hierarchies } from '../../learn/sandbox/groups.ts';

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Why `learn shell --escapes` does not work here. */
function whyNoEscapes(): string | undefined {
  try {
    void openEscapes()[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Why a transcript cannot be run here; undefined when it can. */
export function missing(needs: string | undefined): string | undefined {
  return needs
    ?.split(',')
    .map(reason)
    .find(why => why !== undefined);
}

function reason(need: string): string | undefined {
  if (need === 'root') return process.geteuid?.() === 0 ? undefined : 'wants root';
  if (need === 'x64' || need === 'arm64') return process.arch === need ? undefined : `wants ${need}`;
  if (need === 'loop') return existsSync('/dev/loop-control') ? undefined : 'there are no loop devices';
  if (need === 'escapes') return whyNoEscapes();
  const cgroup = /^cgroup-v([12])$/.exec(need);
  if (cgroup !== null) {
    const version = Number(cgroup[1]);
    // Beside version 1 there may be a tree of version 2 in which little can be limited.
    const used = hierarchies().some(each => each.version === version && each.controllers.includes('memory'));
    return used ? undefined : `wants cgroup v${version}`;
  }
  return PATH.some(directory => existsSync(join(directory, need))) ? undefined : `${need} is not installed`;
}
