// Where we are, and what is installed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeDirectory } from '../repository.ts';
import type { Finding } from './finding.ts';

const PATH = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/sbin');

export function installed(program: string): boolean {
  return PATH.some(directory => existsSync(join(directory, program)));
}

export function node(): Finding {
  const found = `${process.version} (${process.execPath})`;
  const first = PATH.find(directory => existsSync(join(directory, 'node')));
  if (first === nodeDirectory || process.execPath.startsWith(`${first}/`))
    return { subject: 'node', state: 'good', found };
  return {
    subject: 'node',
    state: 'limited',
    found,
    means: '`node` alone is another one in this terminal; learn and its sandboxes take the right one',
    mend: `export PATH=${join(nodeDirectory, '../../bin')}:${nodeDirectory}:$PATH`,
  };
}

/** /proc/version of WSL names Microsoft; hypervisors say so to the processor flags or the firmware. */
export function place(): Finding {
  const subject = 'this machine';
  const version = readFileSync('/proc/version', 'utf8');
  if (/microsoft/i.test(version)) {
    if (!/WSL2/i.test(version)) {
      return {
        subject,
        state: 'missing',
        found: 'WSL 1',
        means: 'it has no Linux kernel',
        mend: 'wsl --set-version DISTRIBUTION 2',
      };
    }
    return { subject, state: 'good', found: 'WSL 2: a virtual machine with a real kernel' };
  }
  if (isContainer()) {
    return { subject, state: 'good', found: 'a container: what it forbids, the lines below tell' };
  }
  const virtual = /^flags.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  return {
    subject,
    state: 'good',
    found: virtual ? 'a virtual machine' : 'a machine of its own (so it seems)',
  };
}

/**
 * A file that container engines leave proves little: virtual machines are made from images of containers too. A
 * container's process 1 was told, or the kernel's own threads are in another pid namespace.
 */
function isContainer(): boolean {
  try {
    if (/(^|\0)container=/.test(readFileSync('/proc/1/environ', 'utf8'))) return true;
  } catch {
    // Only root may look; the next is for everyone.
  }
  const marked = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  return marked && !hasKernelThreads();
}

/** Number 2 of the first pid namespace is the parent of the kernel's threads. */
function hasKernelThreads(): boolean {
  return existsSync('/proc/2/comm') && readFileSync('/proc/2/comm', 'utf8') === 'kthreadd\n';
}

const TOOLS: Record<string, { needed: string; package: string }> = {
  unshare: { needed: 'exercise 0', package: 'util-linux' },
  ps: { needed: 'many chapters', package: 'procps' },
  diff: { needed: 'learn diff', package: 'diffutils' },
  ip: { needed: 'chapter 10', package: 'iproute2' },
  nft: { needed: 'chapter 10: published ports', package: 'nftables' },
  strace: { needed: 'looking at system calls, chapter 1', package: 'strace' },
  less: { needed: 'learn read, a page at a time', package: 'less' },
};

export function tools(): Finding {
  const missing = Object.entries(TOOLS).filter(([name]) => !installed(name));
  if (missing.length === 0) return { subject: 'tools', state: 'good', found: Object.keys(TOOLS).join(' ') };
  return {
    subject: 'tools',
    state: 'limited',
    found: `no ${missing.map(([name]) => name).join(', ')}`,
    means: missing.map(([name, { needed }]) => `${name}: ${needed}`).join('; '),
    mend: `apt-get install ${missing.map(([, tool]) => tool.package).join(' ')} (or as your distribution calls them)`,
  };
}
