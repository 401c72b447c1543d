// RUN --mount=…: lets a command see the context, other stages, caches and secrets without adding them to the
// image (https://docs.docker.com/reference/dockerfile/#run---mount).
import { chmodSync, chownSync, closeSync, lstatSync, openSync, readlinkSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Mount } from '../formats/oci/runtime-spec.ts';
import { spaceFor } from '../images/layers.ts';
import { O } from '../linux/constants.ts';
import { BuildError } from './errors.ts';
import { decodeMount, type MountRequest } from './mount-flag.ts';
import { isDirectory, locate } from './sources.ts';
import type { StageState } from './state.ts';
import { copyFiles } from './transfer.ts';
import { lowerdirsOf, openState, type Workspace } from './workspace.ts';

export interface RunMounts extends Disposable {
  mounts: Mount[];
  /** Variables for the command: 'NAME=value'. */
  env: string[];
}

interface Preparation {
  workspace: Workspace;
  state: StageState;
  stage: number;
  resources: DisposableStack;
}

/** @throws BuildError when a source does not exist or cannot be mounted */
export async function prepareMounts(
  workspace: Workspace,
  state: StageState,
  { flags, stage }: { flags: readonly string[]; stage: number },
): Promise<RunMounts> {
  using resources = new DisposableStack();
  const mounts: Mount[] = [];
  const env: string[] = [];
  for (const flag of flags) {
    const request = decodeMount(flag);
    const preparation = { workspace, state, stage, resources };
    const target = posix.resolve(state.config.WorkingDir || '/', request.target);
    if (request.type === 'secret') {
      const value = workspace.request.secrets[request.id];
      if (value === undefined) {
        if (request.required)
          throw new BuildError(
            `secret ${request.id} not found: give it with --secret id=${request.id},src=FILE`,
          );
        continue;
      }
      if (request.env !== undefined) env.push(`${request.env}=${value.toString()}`);
      if (request.env === undefined || request.hasTarget)
        mounts.push(secret(preparation, request, { value, target }));
    } else if (request.type === 'tmpfs') {
      const size = request.size === undefined ? [] : [`size=${request.size}`];
      mounts.push({
        destination: target,
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'nodev', ...size],
      });
    } else {
      const source = await (request.type === 'cache'
        ? cache(preparation, request)
        : bind(preparation, request));
      const access = request.readonly ? ['ro'] : [];
      mounts.push({ destination: target, type: 'bind', source, options: ['rbind', 'rprivate', ...access] });
    }
  }
  const kept = resources.move();
  return { mounts, env, [Symbol.dispose]: () => kept.dispose() };
}

function secret(
  { workspace }: Preparation,
  { mode = 0o400, uid, gid }: MountRequest,
  { value, target }: { value: Buffer; target: string },
): Mount {
  // The run directory is normally in memory; the secret is removed with the step.
  const path = join(workspace.runDirectory('secret'), 'secret');
  writeFileSync(path, value, { mode: 0o600 });
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return { destination: target, type: 'bind', source: path, options: ['bind', 'rprivate', 'ro'] };
}

async function cache(preparation: Preparation, request: MountRequest): Promise<string> {
  const { workspace, resources } = preparation;
  const taken = await workspace.host.cacheMounts.take(request.id, request.sharing);
  resources.defer(taken.release);
  if (taken.isNew) {
    if (request.from !== undefined) await copyTree(preparation, request, taken.path);
    chmodSync(taken.path, request.mode ?? 0o755);
    chownSync(taken.path, request.uid, request.gid);
  }
  return taken.path;
}

/** Host path of the source; of a copy when it is writable or spread over layers. Writes are discarded. */
async function bind(preparation: Preparation, request: MountRequest): Promise<string> {
  const { workspace } = preparation;
  if (request.readonly) {
    const path = await hostPath(preparation, request);
    if (path !== undefined) return path;
  }
  const directory = workspace.directory('bound');
  return copyTree(preparation, request, directory);
}

async function treeOf({ workspace, stage, resources }: Preparation, from: string | undefined) {
  if (from === undefined) return { root: workspace.context, directories: [workspace.contextPath] };
  const tree = await workspace.tree(from, stage);
  return {
    root: resources.adopt(openState(workspace, tree), closeSync),
    directories: lowerdirsOf(workspace.host, tree),
  };
}

const missing = ({ source, from }: MountRequest): BuildError =>
  new BuildError(`RUN --mount: ${source} is not in ${from ?? 'the build context'}`);

/** The source's path on the host; undefined when several layers contribute to it. */
async function hostPath(preparation: Preparation, request: MountRequest): Promise<string | undefined> {
  const { root, directories } = await treeOf(preparation, request.from);
  using found = locate(root, request.source);
  if (found === undefined) throw missing(request);
  // The path with links resolved: for a detached mount, /proc shows a path that starts at the mount's root.
  const parent = readlinkSync(`/proc/self/fd/${found.directory}`);
  const top = readlinkSync(`/proc/self/fd/${root}`);
  const inside = posix.join('/', top === '/' ? parent : parent.slice(top.length), found.name);
  const there = directories.map(each => join(each, inside)).filter(path => isThere(path, directories));
  const [first] = there;
  if (first === undefined) return undefined;
  return isDirectory(found) && there.length > 1 ? undefined : first;
}

/** Whether every part of the path below the layer is a real directory rather than a link. */
function isThere(path: string, directories: readonly string[]): boolean {
  const top = directories.find(each => path === each || path.startsWith(each === '/' ? each : `${each}/`))!;
  for (let at = posix.dirname(path); at.length > top.length; at = posix.dirname(at)) {
    if (lstatSync(at, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  }
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

async function copyTree(preparation: Preparation, request: MountRequest, directory: string): Promise<string> {
  const { root } = await treeOf(preparation, request.from);
  using found = locate(root, request.source);
  if (found === undefined) throw missing(request);
  using descriptors = new DisposableStack();
  const into = descriptors.adopt(openSync(directory, O.RDONLY | O.DIRECTORY), closeSync);
  const limit = spaceFor(directory);
  await copyFiles(found, { as: 'file', root: into, base: '', limit });
  if (!isDirectory(found)) return join(directory, 'file');
  chmodSync(directory, found.status.mode & 0o7777);
  chownSync(directory, found.status.uid, found.status.gid);
  return directory;
}
