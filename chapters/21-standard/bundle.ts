// Reads a bundle: a directory with config.json, which says what the box is to be. config.md of the runtime-spec
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { CLONE } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';

/** The part of config.json that this runtime uses, under the names of the specification. */
export interface Config {
  ociVersion: string;
  root: { path: string; readonly?: boolean };
  process: Process;
  hostname?: string;
  mounts?: Mount[];
  hooks?: Partial<Record<HookKind, Hook[]>>;
  annotations?: Record<string, string>;
  linux?: {
    namespaces?: { type: string; path?: string }[];
    cgroupsPath?: string;
    resources?: {
      memory?: { limit?: number };
      cpu?: { quota?: number; period?: number };
      pids?: { limit?: number };
    };
    devices?: { path: string; type: string; major?: number; minor?: number; fileMode?: number }[];
    sysctl?: Record<string, string>;
    seccomp?: object;
    maskedPaths?: string[];
    readonlyPaths?: string[];
  };
}

export interface Process {
  args: string[];
  env?: string[];
  cwd: string;
  terminal?: boolean;
  user?: { uid: number; gid: number; umask?: number; additionalGids?: number[] };
  capabilities?: Partial<
    Record<'bounding' | 'effective' | 'permitted' | 'inheritable' | 'ambient', string[]>
  >;
  rlimits?: { type: string; soft: number; hard: number }[];
  noNewPrivileges?: boolean;
}

export interface Mount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
}

export type HookKind =
  | 'prestart'
  | 'createRuntime'
  | 'createContainer'
  | 'startContainer'
  | 'poststart'
  | 'poststop';

export interface Hook {
  path: string;
  args?: string[];
  env?: string[];
  /** Seconds. */
  timeout?: number;
}

/** The specification's names of the namespaces that this runtime makes. */
export const NAMESPACES: Record<string, number> = {
  pid: CLONE.NEWPID,
  mount: CLONE.NEWNS,
  uts: CLONE.NEWUTS,
  ipc: CLONE.NEWIPC,
  network: CLONE.NEWNET,
  cgroup: CLONE.NEWCGROUP,
};

/** @param directory absolute. @throws Mistake if config.json asks for what cannot be done: nothing is left out in silence */
export function readBundle(directory: string): Config {
  const file = `${directory}/config.json`;
  let config: Config;
  try {
    config = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Mistake(`cannot read ${file}: ${(error as Error).message}`);
  }
  const check = (holds: boolean, what: string): void => {
    if (!holds) throw new Mistake(`${file}: ${what}`);
  };
  check(/^1\.\d+\.\d+/.test(config.ociVersion), `ociVersion is ${config.ociVersion}, not 1.something`);
  check(config.process?.args?.length > 0, 'process.args is empty: there is nothing to run');
  check(config.process.cwd?.startsWith('/'), 'process.cwd is not an absolute path');
  check(typeof config.root?.path === 'string', 'root.path is missing');
  config.root.path = resolve(directory, config.root.path);
  const isDirectory = statSync(config.root.path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  check(isDirectory, `root.path: ${config.root.path} is no directory`);
  const namespaces = config.linux?.namespaces ?? [];
  for (const { type, path } of namespaces) {
    check(type in NAMESPACES, `linux.namespaces: this runtime makes no ${type} namespaces`);
    check(type !== 'pid' || !path, 'linux.namespaces: this runtime joins no pid namespace');
  }
  check(
    namespaces.some(({ type, path }) => type === 'mount' && !path),
    'linux.namespaces: without a mount namespace its mounts would be the machine’s',
  );
  check(
    !config.linux?.cgroupsPath?.includes(':'),
    'linux.cgroupsPath: this is a name for systemd, not a path',
  );
  for (const hook of Object.values(config.hooks ?? {}).flat())
    check(hook.path.startsWith('/'), `hooks: ${hook.path} is not an absolute path`);
  return config;
}
