// What a sandbox's file system is made of on this machine.
import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readMountinfo } from '#linux';
import { repository } from '../repository.ts';
import { coverings, isBelow, programsOnly } from './coverings.ts';
import type { Group } from './groups.ts';
import type { Placed, RootPlan } from './root.ts';

const STAGES = ['/tmp', '/mnt', '/media', '/srv', '/var/tmp', '/run', '/opt'];

/** Of the course's folder: these parts, unchangeable, and these files. */
export interface Excerpt {
  parts: readonly string[];
  files: RootPlan['files'];
}

export function planRoot(options: {
  groups: readonly Group[];
  /** Shows this of the course, and of the machine its programs; else all that there is. */
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
      `a sandbox is put together below one of ${STAGES.join(' ')}, and none of these can be had here`,
    );
  }
  const view = excerpt === undefined ? wholeView(needed) : bareView(excerpt, node);
  return {
    stage,
    ...view,
    placed: [...view.placed, ...placed.map(each => ({ ...each, source: realpathSync(each.source) }))],
    hierarchies: groups.map(({ hierarchy }) => hierarchy),
    userNamespace,
    directory,
  };
}

type View = Pick<RootPlan, 'coverings' | 'links' | 'empty' | 'files' | 'placed'>;

/** Commands that there are in a sandbox: it comes first in PATH. */
export const COMMANDS = '/run/sandbox/bin';

/** Typed one terminal too early, the command that stands behind it does nothing. */
const ONLY_IN_SANDBOX = { path: `${COMMANDS}/only-in-sandbox`, text: '#!/bin/sh\nexec "$@"\n', mode: 0o755 };

function wholeView(needed: readonly string[]): View {
  return {
    coverings: coverings(readMountinfo() ?? [], needed),
    links: ['learn', 'mini-docker'].map(name => ({
      path: `${COMMANDS}/${name}`,
      to: join(repository, 'bin', name),
    })),
    empty: [],
    files: [ONLY_IN_SANDBOX],
    placed: [],
  };
}

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
    empty: ['/root', '/mnt', '/var/tmp', repository],
    files: files.map(each => ({ ...each, path: join(repository, each.path) })),
    placed: places.map(path => ({ source: realpathSync(path), target: path, as: 'read-only' })),
  };
}
