// Reads a bundle: config.json, written by any program, in the strict form that the start program takes. What
// is missing gets the specification's defaults, and what cannot be done here is refused.
import { statSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { ExpectedError, FormatError } from '../formats/errors.ts';
import type { Capabilities, Mount, Process, Spec } from '../formats/oci/runtime-spec.ts';
import { CAP, RLIMIT } from '../linux/constants.ts';
import { readRegular } from '../linux/kept-file.ts';
import { checkHooks } from './hooks.ts';
import { checkSupported } from './supported.ts';
import { checkSysctls } from './sysctls.ts';

const LARGEST = 16 << 20;

/** The JSON of a file from outside. @throws FormatError */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readRegular(path, LARGEST).toString());
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new ExpectedError('notFound', `there is no ${path}`);
    throw new FormatError(`cannot read ${path}: ${message}`);
  }
}

/** @param directory the bundle's absolute path */
export function readBundle(directory: string, id: string): Spec {
  const file = join(directory, 'config.json');
  const raw = readJson(file);
  try {
    return checkedSpec(raw as Partial<Spec>, directory, id);
  } catch (error) {
    if (error instanceof TypeError) throw new FormatError(`${file}: ${error.message}`);
    throw error;
  }
}

function checkedSpec(raw: Partial<Spec>, bundle: string, id: string): Spec {
  if (!/^1\.\d+\.\d+/.test(String(raw.ociVersion)))
    throw new FormatError(`config.json: ociVersion is '${raw.ociVersion}'; this runtime knows 1.0 to 1.2`);
  if (raw.process === undefined) throw new FormatError('config.json: process property must not be empty');
  if (typeof raw.root?.path !== 'string') throw new FormatError('config.json: Root must be specified');
  const path = resolve(bundle, raw.root.path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new FormatError(`invalid rootfs: ${path} is not a directory`);
  const { seccomp, ...others }: Partial<Spec['linux']> = raw.linux ?? {};
  const spec: Spec = {
    ...raw,
    ociVersion: raw.ociVersion!,
    process: checkedProcess(raw.process),
    root: { ...raw.root, path },
    mounts: list(raw.mounts, 'mounts')
      .map(mount => checkedMount(mount, bundle))
      .map(mount => labelled(mount, raw.linux?.mountLabel)),
    linux: {
      ...others,
      ...(seccomp && { seccomp: { ...seccomp, syscalls: list(seccomp.syscalls, 'linux.seccomp.syscalls') } }),
      namespaces: list(raw.linux?.namespaces, 'linux.namespaces').map(({ type, path: joined }) => ({
        type,
        ...(joined ? { path: joined } : {}),
      })),
      cgroupsPath: posix.join('/', raw.linux?.cgroupsPath || id),
    },
  };
  checkHooks(spec.hooks ?? {});
  checkSupported(spec);
  checkSysctls(spec);
  return spec;
}

export function list<T>(value: readonly T[] | null | undefined, name: string): T[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new FormatError(`${name} is not a list`);
  return [...value];
}

/** A process of config.json or of `exec --process`. @throws FormatError */
export function checkedProcess(raw: Partial<Process>): Process {
  const args = list(raw.args, 'process.args');
  if (args.length === 0) throw new FormatError('process.args must not be empty');
  if (typeof raw.cwd !== 'string' || !raw.cwd.startsWith('/'))
    throw new FormatError('process.cwd must be an absolute path');
  const env = list(raw.env, 'process.env');
  const odd = env.find(entry => typeof entry === 'string' && !/^[^=]+=/s.test(entry));
  if (odd !== undefined) throw new FormatError(`invalid environment variable: ${JSON.stringify(odd)}`);
  for (const text of [...args, ...env, raw.cwd]) {
    if (typeof text !== 'string' || text.includes('\0'))
      throw new FormatError('process.args, env and cwd are texts without NUL bytes');
  }
  const rlimits = list(raw.rlimits, 'process.rlimits');
  for (const [index, { type }] of rlimits.entries()) {
    if (!/^RLIMIT_/.test(type) || !Object.hasOwn(RLIMIT, type.slice('RLIMIT_'.length)))
      throw new FormatError(`wrong rlimit value: ${type}`);
    if (rlimits.slice(0, index).some(other => other.type === type))
      throw new FormatError(`process.rlimits names ${type} twice`);
  }
  const { user = { uid: 0, gid: 0 }, capabilities, ...others } = raw;
  return {
    ...others,
    args,
    env,
    cwd: raw.cwd,
    rlimits,
    user: { ...user, uid: user.uid ?? 0, gid: user.gid ?? 0 },
    ...(capabilities ? { capabilities: checkedCapabilities(capabilities) } : {}),
  };
}

/** Without capabilities that this program does not know: an older kernel would not have them either. */
function checkedCapabilities(raw: Partial<Capabilities>): Capabilities {
  const known = (names: readonly string[] | undefined): string[] =>
    list(names, 'process.capabilities').filter(name => name.replace(/^CAP_/, '') in CAP);
  const permitted = known(raw.permitted);
  const inheritable = known(raw.inheritable);
  return {
    bounding: known(raw.bounding),
    effective: known(raw.effective),
    permitted,
    inheritable,
    // The kernel makes no others ambient; runc's own example asks for it all the same. capabilities(7)
    ambient: known(raw.ambient).filter(name => permitted.includes(name) && inheritable.includes(name)),
  };
}

/** SELinux's label of the files; the kernel labels those of /proc, /sys and mqueue itself. mount(8), "context" */
function labelled(mount: Mount, label: string | undefined): Mount {
  if (!label || mount.type !== 'tmpfs') return mount;
  return { ...mount, options: [...(mount.options ?? []), `context=${label}`] };
}

function checkedMount(raw: Partial<Mount>, bundle: string): Mount {
  const { destination, options } = raw;
  if (typeof destination !== 'string') throw new FormatError('a mount has no destination');
  const type = raw.type ?? 'none';
  const given = list(options, `options of the mount at ${destination}`);
  const isBind = type === 'bind' || given.includes('bind') || given.includes('rbind');
  const source = raw.source ?? type;
  return {
    destination: posix.join('/', destination),
    type: isBind ? 'bind' : type,
    source: isBind ? resolve(bundle, source) : source,
    options: given,
    ...(raw.uidMappings && { uidMappings: raw.uidMappings }),
    ...(raw.gidMappings && { gidMappings: raw.gidMappings }),
  };
}
