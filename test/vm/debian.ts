// Debian packages for another kernel or architecture than this machine's, unpacked without installing them. apt runs
// with a state of its own, so that the machine's own apt does not learn of foreign architectures.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type DebianArchitecture = 'amd64' | 'arm64';

/**
 * @param options.names packages; `linux-image-amd64`, which only names the kernel of today, stands for that kernel
 * @param options.directory where their files go, as below /
 * @param options.members paths in the packages to unpack, tar's wildcards included: './boot/vmlinuz-*'
 * @param options.dependencies whether the packages that these need are unpacked as well
 * @throws Error where apt fails: no network, or not Debian
 */
export function unpackDebian(options: {
  architecture: DebianArchitecture;
  names: string[];
  directory: string;
  members: string[];
  dependencies?: boolean;
}): void {
  const { architecture, names, directory, members, dependencies = false } = options;
  mkdirSync(directory, { recursive: true });
  const state = join(directory, '.apt');
  try {
    const apt = privateApt(state, architecture);
    apt('apt-get', ['update', '-qq']);
    if (dependencies) {
      apt('apt-get', ['install', '-qq', '--yes', '--download-only', '--no-install-recommends', ...names]);
    } else {
      for (const name of names) apt('apt-get', ['download', '-qq', kernelOfToday(name, apt)]);
    }
    const downloads = dependencies ? join(state, 'archives') : state;
    for (const file of readdirSync(downloads).filter(entry => entry.endsWith('.deb'))) {
      const archive = execFileSync('dpkg', ['--fsys-tarfile', join(downloads, file)], { maxBuffer: 2 ** 30 });
      const flags = ['-x', '-C', directory, '--wildcards', '--no-anchored', ...members];
      // tar says 2 when one of the members is in none of this package's paths: it is in another's.
      try {
        execFileSync('tar', flags, { input: archive, stdio: ['pipe', 'ignore', 'ignore'] });
      } catch (error) {
        if ((error as { status?: number }).status !== 2) throw error;
      }
    }
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

type Apt = (program: string, args: string[]) => string;

function privateApt(state: string, architecture: DebianArchitecture): Apt {
  mkdirSync(join(state, 'lists/partial'), { recursive: true });
  mkdirSync(join(state, 'archives/partial'), { recursive: true });
  writeFileSync(join(state, 'status'), '');
  const options = {
    'Dir::State': state,
    'Dir::State::lists': join(state, 'lists'),
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': state,
    'Dir::Etc::sourcelist': debianSources(),
    'Dir::Etc::sourceparts': '/dev/null',
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::http::Timeout': '30',
    'Acquire::Retries': '2',
  };
  const flags = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return (program, args) =>
    execFileSync(program, [...flags, ...args], { cwd: state, encoding: 'utf8', timeout: 300_000 });
}

/** The file that says where this machine has its Debian from. */
export function debianSources(): string {
  const files = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
  const found = files.find(file => existsSync(file) && /\bmain\b/.test(readFileSync(file, 'utf8')));
  if (found === undefined || !readFileSync('/etc/os-release', 'utf8').includes('ID=debian')) {
    throw new Error(
      'kernels for the tests in virtual machines come from Debian, and this machine is not one',
    );
  }
  return found;
}

function kernelOfToday(name: string, apt: Apt): string {
  if (!name.startsWith('linux-image-')) return name;
  const depends = apt('apt-cache', ['depends', name]);
  const kernel = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (kernel === undefined) throw new Error(`the package ${name} names no kernel`);
  return kernel;
}
