import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname, posix, resolve } from 'node:path';
import { decodeName, encodeUrlValue, fsPath } from '../../formats/byte-names.ts';
import type { ContainerPathStat } from '../../formats/engine-api/containers.ts';
import { encodeSize } from '../../formats/sizes.ts';
import { byteArguments } from '../byte-arguments.ts';
import { command } from '../command.ts';
import {
  assertsDirectory,
  type CopyTarget,
  contentsOnly,
  parseCopyArgument,
  planCopy,
  renamed,
} from '../copy/plan.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError, ifThere } from '../errors.ts';
import { toggle } from '../flags/flags.ts';
import { copyToOutput, printError } from '../show/output.ts';

/** Go's os.FileMode */
const MODE_DIR = 2 ** 31;
const MODE_SYMLINK = 2 ** 27;
/** The number of links that the kernel follows in one path. path_resolution(7) */
const MOST_LINKS = 40;
const isDirectory = ({ mode }: ContainerPathStat) => Math.floor(mode / MODE_DIR) % 2 === 1;
const isSymlink = ({ mode }: ContainerPathStat) => Math.floor(mode / MODE_SYMLINK) % 2 === 1;

const FLAGS = {
  archive: toggle('Keep owners', 'a'),
  'follow-link': toggle('Copy what SRC_PATH points to when it is a symbolic link', 'L'),
  quiet: toggle('Do not say what was copied', 'q'),
};

interface Copy {
  daemon: DaemonClient;
  container: string;
  /** Path in the container. */
  path: string;
  /** Path on this machine, or '-' for a tar on a standard stream. */
  local: string;
  flags: { archive: boolean; 'follow-link': boolean; quiet: boolean };
}

export const cp = command({
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-  or  SRC_PATH|- CONTAINER:DEST_PATH',
  description:
    "Use '-' to read or write a tar archive on standard input or output. DIR/. stands for the contents of the directory.",
  flags: FLAGS,
  count: [2, 2],
  examples: [
    ['cp web:/etc/hosts .', 'Copy a file out of a container'],
    ['cp site/. web:/www', "Copy a directory's contents into one"],
    ['cp web:/var/log - | tar tv', "List a directory's contents"],
  ],
  async run({ flags, args, daemon }) {
    const [source, target] = byteArguments(args).map(parseCopyArgument) as [
      ReturnType<typeof parseCopyArgument>,
      ReturnType<typeof parseCopyArgument>,
    ];
    if (source.path === '' || target.path === '')
      throw new CommandError('source and destination can not be empty');
    if (source.container !== undefined && target.container !== undefined) {
      throw new CommandError('copying between containers is not supported');
    }
    if (source.container !== undefined) {
      await copyOut({ daemon, container: source.container, path: source.path, local: target.path, flags });
    } else if (target.container !== undefined) {
      await copyIn({ daemon, container: target.container, path: target.path, local: source.path, flags });
    } else throw new CommandError('must specify at least one container source');
  },
});

async function copyOut({ daemon, container, path, local, flags }: Copy): Promise<void> {
  const source = flags['follow-link'] ? await followed(daemon, container, path) : path;
  const { headers, body } = await daemon.request('GET', archivePath(container), { query: { path: source } });
  const stat = decodeStat(headers['x-docker-container-path-stat']);
  if (local === '-') {
    if (process.stdout.isTTY)
      throw new CommandError('refusing to write a tar archive to the terminal: redirect it');
    return copyToOutput(body);
  }
  const target = localTarget(local);
  const parent = posix.dirname(target.path.replace(/\/+\.?$/, '') || '/');
  if (!target.exists && !statSync(fsPath(parent), { throwIfNoEntry: false })?.isDirectory()) {
    throw new CommandError(`invalid output path: directory "${parent}" does not exist`);
  }
  // The name that the user gave, even if it is a link that was followed.
  const named = posix.resolve('/', path) + (contentsOnly(path) ? '/.' : '');
  const plan = planCopy({ path: named, directory: isDirectory(stat) }, target);
  const { unpack } = await import('../copy/unpack.ts');
  const counted = counting(body);
  const { rename } = plan;
  await unpack(counted.chunks, {
    into: plan.into,
    nameOf: entry => (rename === undefined ? entry : renamed(entry, rename)),
    owners: flags.archive,
  });
  report(flags.quiet, counted.bytes(), local);
}

async function copyIn({ daemon, container, path, local, flags }: Copy): Promise<void> {
  const target = await containerTarget(daemon, container, path);
  const query = { noOverwriteDirNonDir: true, copyUIDGID: flags.archive || undefined };
  const send = async (into: string, tar: AsyncIterable<Uint8Array>) => {
    const counted = counting(tar);
    await daemon.text('PUT', archivePath(container), {
      query: { path: into, ...query },
      body: counted.chunks,
      headers: { 'Content-Type': 'application/x-tar' },
    });
    report(flags.quiet, counted.bytes(), `${container}:${path}`);
  };
  if (local === '-') {
    if (!target.directory) throw new CommandError(`destination "${container}:${path}" must be a directory`);
    await send(path, process.stdin);
    return;
  }
  const follow = flags['follow-link'] || assertsDirectory(local);
  const from = resolve(local);
  const stats = (follow ? statSync : lstatSync)(fsPath(from), { throwIfNoEntry: false });
  if (!stats) throw new CommandError(`lstat ${from}: no such file or directory`);
  if (!stats.isDirectory() && assertsDirectory(local)) throw new CommandError(`${local}: not a directory`);
  // '.' and 'dir/..' get the real names of their directories.
  const named = /(^|\/)\.\.$/.test(local) ? from : local;
  const { into, rename } = planCopy(
    { path: named === '.' ? './.' : named, directory: stats.isDirectory() },
    target,
  );
  const { pack } = await import('../copy/pack.ts');
  await send(into, await pack({ path: from, name: rename, follow }));
}

const archivePath = (container: string) => `/containers/${encodeUrlValue(container)}/archive`;

function decodeStat(header: string | undefined): ContainerPathStat {
  if (header === undefined)
    throw new CommandError('the daemon does not say what the path is (X-Docker-Container-Path-Stat)');
  return JSON.parse(Buffer.from(header, 'base64').toString()) as ContainerPathStat;
}

/** undefined when the path does not exist. */
async function statInContainer(
  daemon: DaemonClient,
  container: string,
  path: string,
): Promise<ContainerPathStat | undefined> {
  const answer = await ifThere(daemon.request('HEAD', archivePath(container), { query: { path } }));
  if (answer === undefined) return undefined;
  for await (const _ of answer.body);
  return decodeStat(answer.headers['x-docker-container-path-stat']);
}

/** The target of a symbolic link; the path itself when it is not one. */
async function followed(daemon: DaemonClient, container: string, path: string): Promise<string> {
  const stat = await statInContainer(daemon, container, path);
  if (!stat || !isSymlink(stat)) return path;
  return posix.resolve('/', posix.dirname(path), stat.linkTarget);
}

async function containerTarget(daemon: DaemonClient, container: string, path: string): Promise<CopyTarget> {
  let at = path;
  let stat = await statInContainer(daemon, container, at);
  if (stat && isSymlink(stat)) {
    at = posix.resolve('/', posix.dirname(path), stat.linkTarget);
    stat = await statInContainer(daemon, container, at);
  }
  // The path may be missing because the container is: the daemon's error tells which.
  if (!stat) await daemon.text('GET', `/containers/${encodeUrlValue(container)}/json`);
  return { path: at, exists: stat !== undefined, directory: stat !== undefined && isDirectory(stat) };
}

/** The destination after following symbolic links, which may lead to a missing file. */
function localTarget(local: string): CopyTarget {
  let path = resolve(local);
  for (let links = 0; lstatSync(fsPath(path), { throwIfNoEntry: false })?.isSymbolicLink(); links++) {
    if (links === MOST_LINKS) throw new CommandError(`${local}: too many symbolic links`);
    path = resolve(dirname(path), decodeName(readlinkSync(fsPath(path), { encoding: 'buffer' })));
  }
  const stat = statSync(fsPath(path), { throwIfNoEntry: false });
  const trailing = contentsOnly(local) ? '/.' : local.endsWith('/') ? '/' : '';
  return { path: path + trailing, exists: stat !== undefined, directory: stat?.isDirectory() ?? false };
}

function counting(chunks: AsyncIterable<Uint8Array>) {
  let bytes = 0;
  async function* counted() {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  return { chunks: counted(), bytes: () => bytes };
}

function report(quiet: boolean, bytes: number, target: string): void {
  if (!quiet && process.stderr.isTTY) printError(`Successfully copied ${encodeSize(bytes)} to ${target}`);
}
