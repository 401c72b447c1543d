// `compose config`: prints the fully resolved model.

import { writeFileSync } from 'node:fs';
import { command } from '../command.ts';
import { CommandError, fileReason } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { write } from '../show/output.ts';
import { openProject, type ProjectFlags } from './options.ts';
import { type Project, serviceHash, sorted } from './project.ts';

export const config = command({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    format: text('string', 'Format the output: yaml or json'),
    hash: text('string', 'Print the service config hash, one per line'),
    images: toggle('Print the image names, one per line'),
    'no-interpolate': toggle("Don't interpolate environment variables"),
    networks: toggle('Print the network names, one per line'),
    output: text('string', 'Save to file (default to stdout)', 'o'),
    profiles: toggle('Print the profile names, one per line'),
    quiet: toggle("Only validate the configuration, don't print anything", 'q'),
    services: toggle('Print the service names, one per line'),
    volumes: toggle('Print the volume names, one per line'),
  },
  examples: [
    ['compose config', 'Show the file with variables, overrides and short forms resolved'],
    ['compose config --services', 'List the services'],
  ],
  async run({ flags, args, group }) {
    const project = await openProject({
      flags: group as ProjectFlags,
      asked: args,
      raw: flags['no-interpolate'],
    });
    const { services } = project;
    const chosen = args.length === 0 ? Object.keys(services) : args;
    const unknown = chosen.find(name => !Object.hasOwn(services, name));
    if (unknown !== undefined) throw new CommandError(`no such service: ${unknown}`);
    if (flags.quiet) return 0;
    const tell = (text: string) => {
      if (flags.output === undefined) write(text);
      else writeTo(flags.output, text);
      return 0;
    };
    const lines = (values: Iterable<string>) => tell([...values].map(each => `${each}\n`).join(''));
    if (flags.services) return lines(chosen);
    if (flags.networks) return lines(Object.keys(project.networks));
    if (flags.volumes) return lines(Object.keys(project.volumes));
    if (flags.images) return lines(chosen.map(name => services[name]!.image ?? `${project.name}-${name}`));
    if (flags.profiles) {
      const all = { ...services, ...project.disabled };
      return lines(new Set(Object.values(all).flatMap(each => each.profiles ?? [])));
    }
    if (flags.hash !== undefined) {
      const hashed = flags.hash === '*' ? Object.keys(services).sort() : flags.hash.split(',');
      const missing = hashed.find(name => !Object.hasOwn(services, name));
      if (missing !== undefined) throw new CommandError(`no such service: ${missing}`);
      return lines(hashed.map(name => `${name} ${serviceHash(project, services[name]!)}`));
    }
    const whole = document(project, chosen);
    const shown = flags['no-interpolate'] ? whole : escaped(whole);
    if (flags.format === 'json') return tell(`${JSON.stringify(shown, null, 2)}\n`);
    if (flags.format !== undefined && flags.format !== 'yaml')
      throw new CommandError(`unsupported format ${JSON.stringify(flags.format)}: it is yaml or json`);
    const { stringify } = await import('yaml');
    return tell(stringify(shown, { lineWidth: 0, aliasDuplicateObjects: false }));
  },
});

function writeTo(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new CommandError(`cannot write ${path}: ${fileReason(cause)}`, { cause });
  }
}

function document(project: Project, chosen: readonly string[]) {
  const { name, networks, volumes, secrets, configs } = project;
  const services = Object.fromEntries(chosen.map(each => [each, project.services[each]!]));
  const used = new Set(Object.values(services).flatMap(each => Object.keys(each.networks ?? {})));
  const things = {
    networks: Object.fromEntries(Object.entries(networks).filter(([each]) => used.has(each))),
    volumes,
    secrets,
    configs,
  };
  const filled = Object.entries(things).filter(([, each]) => Object.keys(each).length > 0);
  return {
    name,
    services: sorted(services),
    ...Object.fromEntries(filled.map(([key, each]) => [key, sorted(each)])),
  };
}

/** Doubles each $, so that reading the output again does not expand variables. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, escaped(each)]));
}
