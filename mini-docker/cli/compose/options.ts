// Decides which project the user means: by the flags of `compose`, the COMPOSE_* variables, and files.

import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CommandError } from '../errors.ts';
import { type FlagValues, list, text, toggle } from '../flags/flags.ts';
import { printError } from '../show/output.ts';
import { loadModel, lookupOf, nameIn, sourceOf, variablesOf } from './load.ts';
import { type Project, resolveProject } from './project.ts';

export const PROJECT_FLAGS = {
  'all-resources': toggle('Include all resources, even those not used by services'),
  ansi: text('string', 'Control when to print colors ("never"|"always"|"auto")'),
  'dry-run': toggle('Execute command in dry run mode'),
  'env-file': list('file', 'Specify an alternate environment file'),
  file: list('file', 'Compose configuration files', 'f'),
  profile: list('name', 'Specify a profile to enable'),
  progress: text('string', 'Set type of progress output (auto, tty, plain, json, quiet)'),
  'project-directory': text('path', 'Specify an alternate working directory'),
  'project-name': text('name', 'Project name', 'p'),
};

export type ProjectFlags = FlagValues<typeof PROJECT_FLAGS>;

const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const OVERRIDES = [
  'compose.override.yaml',
  'compose.override.yml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];

export interface OpenOptions {
  flags: ProjectFlags;
  /** Names of services on the command line. */
  asked?: readonly string[];
  raw?: boolean;
}

/** @throws CommandError when a file is missing or wrong */
export async function openProject({ flags, asked = [], raw = false }: OpenOptions): Promise<Project> {
  const { files, directory, lookup: outside } = settings(flags);
  if (files.length === 0)
    throw new CommandError(
      `no configuration file provided: there is no ${NAMES.join(', ')} here or in a directory above (name one with -f)`,
    );
  const name = await projectName({ flags, files, directory, lookup: outside });
  const lookup = (variable: string) => (variable === 'COMPOSE_PROJECT_NAME' ? name : outside(variable));
  const warned = new Set<string>();
  const warn = (message: string) => {
    if (!warned.has(message)) printError(`WARNING: ${message}`);
    warned.add(message);
  };
  const loaded = await loadModel({ files, directory, lookup, home: process.env.HOME, raw, warn });
  const profiles = [...flags.profile, ...(lookup('COMPOSE_PROFILES') ?? '').split(',')].filter(
    each => each !== '',
  );
  const allResources = flags['all-resources'];
  return resolveProject({ ...loaded, allResources, name, directory, files, profiles, asked, lookup, raw });
}

/** Only the project's name, for commands that need no file: `-p demo down` uses the daemon's labels. */
export async function openOrName(options: OpenOptions): Promise<Project> {
  const { flags } = options;
  const { files, directory } = settings(flags);
  const name = flags['project-name'] ?? process.env.COMPOSE_PROJECT_NAME;
  if (files.length > 0 || !name) return openProject(options);
  const nothing = { services: {}, disabled: {}, networks: {}, volumes: {}, secrets: {}, configs: {} };
  const lookup = () => undefined;
  return { lookup, allResources: false, name: checkedName(name), directory, files, ...nothing };
}

function settings(flags: ProjectFlags) {
  const own = (name: string) => process.env[name];
  const separator = own('COMPOSE_PATH_SEPARATOR') || ':';
  let given = flags.file;
  const base = flags['project-directory'] === undefined ? undefined : resolve(flags['project-directory']);
  const envFiles =
    flags['env-file'].length > 0 ? flags['env-file'] : (own('COMPOSE_ENV_FILES')?.split(',') ?? []);
  const fileOf = (each: string) => (each === '-' ? each : resolve(each));
  const found = given.length > 0 ? [] : searched(base ?? process.cwd());
  const first = given[0] ?? own('COMPOSE_FILE')?.split(separator)[0] ?? found[0];
  const directory = base ?? (first === undefined || first === '-' ? process.cwd() : dirname(resolve(first)));
  const lookup = lookupOf([own, ...dotenv(envFiles, directory, own)]);
  if (given.length === 0) given = (lookup('COMPOSE_FILE') ?? '').split(separator).filter(each => each !== '');
  const files = given.length > 0 ? given.map(fileOf) : found;
  for (const file of files)
    if (file !== '-' && !existsSync(file)) throw new CommandError(`open ${file}: no such file or directory`);
  return { files, directory, lookup };
}

/** The variables of several files; later files override earlier ones. */
function dotenv(given: readonly string[], directory: string, own: (name: string) => string | undefined) {
  const usual = join(directory, '.env');
  const files = given.length > 0 ? given.map(each => resolve(each)) : existsSync(usual) ? [usual] : [];
  return files.map(file => variablesOf(file, own)).reverse();
}

/** The compose files in this directory, or in the nearest parent that has one. */
function searched(start: string): string[] {
  for (let directory = start; ; directory = dirname(directory)) {
    const inside = (names: readonly string[]) => names.map(name => join(directory, name)).find(existsSync);
    const file = inside(NAMES);
    if (file !== undefined) return [file, inside(OVERRIDES)].filter(each => each !== undefined);
    if (directory === dirname(directory)) return [];
  }
}

interface Naming {
  flags: ProjectFlags;
  files: readonly string[];
  directory: string;
  lookup: (name: string) => string | undefined;
}

async function projectName({ flags, files, directory, lookup }: Naming): Promise<string> {
  const given = flags['project-name'] ?? lookup('COMPOSE_PROJECT_NAME');
  if (given) return checkedName(given);
  let named: string | undefined;
  // Standard input and a pipe can be read only once, by the loading that follows.
  for (const file of files.filter(each => each !== '-' && statSync(each).isFile()))
    named = nameIn(await sourceOf(file), lookup) ?? named;
  if (named !== undefined) return checkedName(named);
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
  if (name === '') throw new CommandError('project name must not be empty: give it one with -p');
  return name;
}

function checkedName(name: string): string {
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(name))
    throw new CommandError(
      `invalid project name ${JSON.stringify(name)}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
    );
  return name;
}
