// Checks of the machine, and of the installed programs.
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
    means: '`node` in this terminal is another one; learn and its sandboxes use the right one',
    mend: `export PATH=${join(nodeDirectory, '../../bin')}:${nodeDirectory}:$PATH`,
  };
}

/** WSL's /proc/version names Microsoft; under a hypervisor the processor has a flag of that name. */
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
    return { subject, state: 'good', found: 'a container: the lines below tell what it forbids' };
  }
  const virtual = /^flags.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  return {
    subject,
    state: 'good',
    found: virtual ? 'a virtual machine' : 'a physical machine, it seems',
  };
}

/**
 * The files that container engines leave prove little, because virtual machines are made from container images too.
 * In a container, process 1 has the variable `container`, or the kernel's threads are in another pid namespace.
 */
function isContainer(): boolean {
  try {
    if (/(^|\0)container=/.test(readFileSync('/proc/1/environ', 'utf8'))) return true;
  } catch {
    // Only root may read it; the next check works for every user.
  }
  const marked = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  return marked && !hasKernelThreads();
}

/** Process 2 of the initial pid namespace is kthreadd, the parent of the kernel's threads. */
function hasKernelThreads(): boolean {
  return existsSync('/proc/2/comm') && readFileSync('/proc/2/comm', 'utf8') === 'kthreadd\n';
}

const TOOLS: Record<string, { needed: string; package: string }> = {
  unshare: { needed: 'exercise 0', package: 'util-linux' },
  ps: { needed: 'many chapters', package: 'procps' },
  diff: { needed: 'learn diff', package: 'diffutils' },
  ip: { needed: 'chapter 10', package: 'iproute2' },
  nft: { needed: 'chapter 10: published ports', package: 'nftables' },
  strace: { needed: 'watching system calls in chapter 1', package: 'strace' },
  less: { needed: 'learn read, page by page', package: 'less' },
};

export function tools(): Finding {
  const missing = Object.entries(TOOLS).filter(([name]) => !installed(name));
  if (missing.length === 0) return { subject: 'tools', state: 'good', found: Object.keys(TOOLS).join(' ') };
  return {
    subject: 'tools',
    state: 'limited',
    found: `no ${missing.map(([name]) => name).join(', ')}`,
    means: missing.map(([name, { needed }]) => `${name}: ${needed}`).join('; '),
    mend: `apt-get install ${missing.map(([, tool]) => tool.package).join(' ')} (the names may differ in your distribution)`,
  };
}
