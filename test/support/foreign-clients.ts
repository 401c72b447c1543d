// Finds which clients of other projects are installed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const succeeds = (command: string, args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** A Python with docker-py: Debian's, or the first in the PATH. */
export const dockerPython = ['/usr/bin/python3', 'python3'].find(each =>
  succeeds(each, ['-c', 'import docker']),
);

/** Counts programs whose output docker-py loses. */
export const LOST_OUTPUT = join(import.meta.dirname, '../clients/lost_output.py');

export const hasRubyDocker = succeeds('ruby', ['-e', 'require "docker"']);

export const hasProgram = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some(directory => existsSync(join(directory, program)));

/** Where bin/setup long puts clients from npm. */
export const NPM_CLIENTS = join(import.meta.dirname, '../../.cache/clients');

export const hasNpmClient = (name: string): boolean => existsSync(join(NPM_CLIENTS, 'node_modules', name));

/** Debian's ansible, with the collection community.docker, and docker-compose for one of its modules. */
export const hasAnsibleDocker =
  existsSync('/usr/lib/python3/dist-packages/ansible_collections/community/docker') &&
  hasProgram('ansible-playbook') &&
  succeeds('/usr/bin/python3', ['-c', 'import docker, compose']);
