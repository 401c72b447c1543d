// Plans the file system of a sandbox on this machine.
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readMountinfo } from '#linux';
import { repository } from '../repository.ts';
import { type Covering, coverings, isBelow, programsOnly } from './coverings.ts';
import type { Group } from './groups.ts';
import type { Placed, RootPlan } from './root.ts';

const STAGES = ['/tmp', '/mnt', '/media', '/srv', '/var/tmp', '/run', '/opt'];

/** The parts of the course's folder to show read-only, and the files to add. */
export interface Excerpt {
  parts: readonly string[];
  files: RootPlan['files'];
  /** Programs of the machine that are not there: '/usr/bin/podman' */
  hidden?: readonly string[];
}

export function planRoot(options: {
  groups: readonly Group[];
  /** If given, only these parts of the course and the machine's programs are visible; otherwise everything is. */
  excerpt: Excerpt | undefined;
  placed: readonly Placed[];
  userNamespace: boolean;
  directory: string;
}): RootPlan {
  const { groups, excerpt, placed, userNamespace, directory } = options;
  const node = dirname(realpathSync(process.execPath));
  const needed = [repository, node];
  const stage = STAGES.find(path => existsSync(path) && !needed.some(each => isBelow(each, path)));
  if (stage === undefined) {
    throw new Error(
      `a sandbox is assembled below one of ${STAGES.join(' ')}, but none of these can be used here`,
    );
  }
  const view = excerpt === undefined ? wholeView(needed, userNamespace) : bareView(excerpt, node);
  return {
    stage,
    ...view,
    hidden: excerpt?.hidden ?? [],
    placed: [...view.placed, ...placed.map(each => ({ ...each, source: realpathSync(each.source) }))],
    // A tree without controllers is of no use inside.
    hierarchies: groups.map(({ hierarchy }) => hierarchy).filter(({ controllers }) => controllers.length > 0),
    userNamespace,
    keepsSettings: groups.some(({ keepsSettings }) => keepsSettings),
    directory,
  };
}

type View = Pick<RootPlan, 'coverings' | 'links' | 'empty' | 'files' | 'placed'>;

/** Directory of a sandbox's own commands, the first in PATH. */
export const COMMANDS = '/run/sandbox/bin';

/** A command that exists only in sandboxes: outside, the command behind it is not run. */
const ONLY_IN_SANDBOX = { path: `${COMMANDS}/only-in-sandbox`, text: '#!/bin/sh\nexec "$@"\n', mode: 0o755 };

function wholeView(needed: readonly string[], userNamespace: boolean): View {
  const found = coverings(readMountinfo() ?? [], needed);
  return {
    coverings: found.filter(isDirectory),
    links: ['learn', 'mini-docker'].map(name => ({
      path: `${COMMANDS}/${name}`,
      to: join(repository, 'bin', name),
    })),
    empty: [],
    files: [ONLY_IN_SANDBOX, ...(userNamespace ? [] : found.filter(isFile).map(copy))],
    placed: [],
  };
}

/** In a container, files such as /etc/hosts are mounts. A copy of them can be changed and removed like any other file. */
function copy({ path }: Covering): RootPlan['files'][number] {
  return { path, text: readFileSync(path, 'utf8'), mode: 0o644 };
}

/** Limit on a copied file, in bytes. */
const MOST = 1 << 16;
const kindOf = (path: string) => {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
};
const isDirectory = ({ path }: Covering): boolean => kindOf(path)?.isDirectory() ?? false;
const isFile = ({ path }: Covering): boolean => {
  const file = kindOf(path);
  return file?.isFile() === true && file.size <= MOST;
};

function bareView({ parts, files }: Excerpt, node: string): View {
  const entries = readdirSync('/', { withFileTypes: true }).map(entry =>
    entry.isSymbolicLink()
      ? { name: entry.name, link: readlinkSync(`/${entry.name}`) }
      : { name: entry.name },
  );
  const shown = programsOnly(readMountinfo() ?? [], entries);
  const isShown = shown.coverings.some(({ path }) => isBelow(node, path)) || isBelow(node, repository);
  const places = [...(isShown ? [] : [node]), ...parts.map(part => join(repository, part))];
  return {
    ...shown,
    coverings: shown.coverings.filter(isDirectory),
    empty: ['/root', '/mnt', '/var/tmp', repository],
    files: files.map(each => ({ ...each, path: join(repository, each.path) })),
    placed: places.map(path => ({ source: realpathSync(path), target: path, as: 'read-only' })),
  };
}
