import type { SystemVersion } from '../../formats/engine-api/system.ts';
import { VERSION } from '../../formats/program-version.ts';
import { command } from '../command.ts';
import { text, toggle } from '../flags/flags.ts';
import { print, write } from '../show/output.ts';
import { formatted } from '../show/template.ts';

type ServerVersion = SystemVersion & { ApiVersion: string; MinAPIVersion?: string };

export const version = command({
  usage: '[OPTIONS]',
  flags: {
    format: text('string', 'Format the output using the given Go template', 'f'),
    short: toggle('Show only the version of this command'),
  },
  examples: [["version -f '{{.Server.Version}}'", "Show only the daemon's version"]],
  async run({ flags, daemon }) {
    if (flags.short) {
      print(`mini-docker version ${VERSION}`);
      return 0;
    }
    const client = {
      Version: VERSION,
      ApiVersion: undefined as string | undefined,
      NodeVersion: process.versions.node,
      Os: process.platform,
      Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    };
    let server: ServerVersion | undefined;
    let failure: unknown;
    try {
      client.ApiVersion = await daemon.version();
      server = await daemon.json<ServerVersion>('GET', '/version');
    } catch (error) {
      failure = error;
    }
    if (flags.format) {
      const data = { Client: client, Server: server ?? null };
      if (flags.format === 'json') print(JSON.stringify(data));
      else print(await formatted(flags.format, data).catch(error => Promise.reject(failure ?? error)));
    } else write(describe(client, server));
    if (failure) throw failure;
  },
});

function describe(client: Record<string, string | undefined>, server: ServerVersion | undefined): string {
  const lines = [
    'Client: mini-docker',
    ...pairs(1, [
      ['Version', client.Version],
      ['API version', client.ApiVersion],
      ['Node version', client.NodeVersion],
      ['OS/Arch', `${client.Os}/${client.Arch}`],
      ['Server', undefined],
    ]),
  ];
  if (server) {
    lines.push('', `Server: ${server.Platform?.Name ?? ''}`.trimEnd());
    for (const { Name, Version, Details = {} } of server.Components ?? []) {
      const rest = Object.keys(Details)
        .sort()
        .map(key => [key, Details[key]] as const);
      lines.push(` ${Name}:`, ...pairs(2, [['Version', Version], ...rest]));
    }
  }
  return lines.map(line => `${line}\n`).join('');
}

const pairs = (indent: number, list: (readonly [string, string | undefined])[]): string[] =>
  list.flatMap(([name, value]) =>
    value === undefined ? [] : `${' '.repeat(indent)}${`${name}:`.padEnd(19 - indent)}${value}`,
  );
