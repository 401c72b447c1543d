import type { SecurityReport } from '../../formats/security-report.ts';
import { command } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { CommandError, errorLine, hasStatus } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { terminalSize } from '../run/terminal.ts';
import { printError, write, writeFormatted } from '../show/output.ts';
import { compileFormat } from '../show/template.ts';

const format = text('string', 'Format the output using the given Go template', 'f');
const size = toggle('Display total file sizes if the type is container', 's');

type Kind = 'container' | 'image' | 'network' | 'volume';

const KINDS: Record<Kind, (name: string, size: boolean) => string> = {
  container: (name, size) => `/containers/${name}/json${size ? '?size=1' : ''}`,
  image: name => `/images/${name.replaceAll('%2F', '/')}/json`,
  network: name => `/networks/${name}`,
  volume: name => `/volumes/${name}`,
};

export const inspect = command({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  flags: {
    format,
    size,
    security: toggle('Show what a container may do, beside a process of the host'),
    type: text('string', 'Return JSON for specified type'),
  },
  examples: [
    ['inspect web', 'Show all information as JSON'],
    ["inspect -f '{{.State.Pid}}' web", "Show the host PID of the container's process"],
    ['inspect --security web', "Show the container's rights"],
    ["inspect -f '{{range $p, $b := .NetworkSettings.Ports}}{{$p}} {{end}}' web", 'Its ports'],
  ],
  run({ flags, args, daemon }) {
    if (flags.security) return inspectSecurity(daemon, args, flags.format);
    const kinds = Object.keys(KINDS);
    if (flags.type !== undefined && !kinds.includes(flags.type)) {
      throw new CommandError(
        `unknown type: ${JSON.stringify(flags.type)}: must be one of "${kinds.join('", "')}"`,
      );
    }
    const wanted = flags.type === undefined ? (kinds as Kind[]) : [flags.type as Kind];
    return inspectAll(daemon, { kinds: wanted, names: args, ...flags });
  },
});

async function inspectSecurity(
  daemon: DaemonClient,
  names: string[],
  format: string | undefined,
): Promise<number> {
  const template = await compiled(format);
  const { securityTable } = await import('../show/security-table.ts');
  for (const name of names) {
    const path = containerPath(name, '/security');
    const report = await daemon.json<SecurityReport>('GET', path);
    if (template) write(`${template(report)}\n`);
    else if (format === 'json') write(`${JSON.stringify(report)}\n`);
    else write(`${securityTable(name, report, terminalSize()?.columns ?? 120)}\n`);
  }
  return 0;
}

const FLAGS = {
  container: { format, size },
  image: { format },
  network: { format, verbose: toggle('Changes nothing here: that is for swarms', 'v') },
  volume: { format },
};

function only(kind: Kind) {
  return command({
    usage: `[OPTIONS] ${kind.toUpperCase()} [${kind.toUpperCase()}...]`,
    flags: FLAGS[kind],
    examples: [[`${kind} inspect -f '{{json .}}' NAME`, 'Print JSON on one line']],
    run: ({ flags, args, daemon }) =>
      inspectAll(daemon, { kinds: [kind], names: args, size: false, ...flags }),
  });
}

export const containerInspect = only('container');
export const imageInspect = only('image');
export const networkInspect = only('network');
export const volumeInspect = only('volume');

interface Wanted {
  kinds: Kind[];
  names: string[];
  format: string | undefined;
  size: boolean;
}

/** Prints all objects that were found, even if another was not. */
async function inspectAll(daemon: DaemonClient, { kinds, names, format, size }: Wanted): Promise<number> {
  const template = await compiled(format);
  const found: unknown[] = [];
  const failed: string[] = [];
  for (const name of names) {
    try {
      found.push(await lookUp(daemon, name, kinds, size));
    } catch (error) {
      failed.push(error instanceof CommandError ? error.message : errorLine(error));
    }
  }
  if (template) {
    try {
      for (const each of found) writeFormatted(`${template(each)}\n`);
    } catch (cause) {
      throw new CommandError(`template parsing error: ${(cause as Error).message}`, { cause });
    }
    // An empty line, for a caller that reads one.
    if (found.length === 0) write('\n');
  } else writeFormatted(`${format === 'json' ? JSON.stringify(found) : JSON.stringify(found, null, 4)}\n`);
  for (const line of failed) printError(line);
  return failed.length === 0 ? 0 : 1;
}

async function compiled(format: string | undefined): Promise<((data: unknown) => string) | undefined> {
  if (!format || format === 'json') return undefined;
  const { INSPECT_OPTIONS } = await import('../show/inspect-format.ts');
  return compileFormat(format, INSPECT_OPTIONS);
}

async function lookUp(daemon: DaemonClient, name: string, kinds: Kind[], size: boolean): Promise<unknown> {
  for (const kind of kinds) {
    try {
      return parseExactly(await daemon.text('GET', KINDS[kind](encodeURIComponent(name), size)));
    } catch (error) {
      // A daemon without this kind of object answers with 501.
      if (kinds.length === 1 || !hasStatus(error, 404, 501)) throw error;
    }
  }
  throw new CommandError(`Error: No such object: ${name}`);
}

/** Parses integers beyond a double's precision without losing digits. */
function parseExactly(json: string): unknown {
  if (!/\d{16}/.test(json)) return JSON.parse(json);
  const keep = (_: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' &&
    context?.source &&
    !Number.isSafeInteger(value) &&
    /^-?\d+$/.test(context.source)
      ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context.source)
      : value;
  return JSON.parse(json, keep as (key: string, value: unknown) => unknown);
}
