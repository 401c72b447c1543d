// What a sandbox's file system is made of on this machine.
import { existsSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { readMountinfo } from '#linux';
import { repository } from '../repository.ts';
import { coverings, isBelow } from './coverings.ts';
import type { Group } from './groups.ts';
import type { RootPlan } from './root.ts';

const STAGES = ['/tmp', '/mnt', '/media', '/srv', '/var/tmp', '/run', '/opt'];

export function planRoot(options: {
  groups: readonly Group[];
  hidden: readonly string[];
  placed: readonly { source: string; target: string }[];
  userNamespace: boolean;
  directory: string;
}): RootPlan {
  const { groups, hidden, placed, userNamespace, directory } = options;
  const needed = [repository, dirname(realpathSync(process.execPath))];
  const sources = placed.map(({ source, target }) => ({ source: realpathSync(source), target }));
  const stage = STAGES.find(path => existsSync(path) && !needed.some(each => isBelow(each, path)));
  if (stage === undefined) {
    throw new Error(
      `a sandbox is put together below one of ${STAGES.join(' ')}, and none of these can be had here`,
    );
  }
  return {
    stage,
    coverings: coverings(readMountinfo() ?? [], needed),
    hidden,
    placed: sources,
    hierarchies: groups.map(({ hierarchy }) => hierarchy),
    userNamespace,
    directory,
  };
}
