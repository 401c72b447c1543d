// Prints lists as tables, as JSON, or through a template, as `--format` and `--quiet` choose
// (https://docs.docker.com/engine/cli/formatting/).

import { FormatError } from '../../formats/errors.ts';
import { formatJson } from '../../formats/go-template/format.ts';
import { CommandError } from '../errors.ts';
import { text } from '../flags/flags.ts';
import { writeFormatted } from './output.ts';
import { encodeTable } from './table.ts';

export interface Column<T> {
  header: string;
  value(row: T): unknown;
  /** Whether it takes arguments: {{.Label "name"}}. */
  method?: boolean;
}

export type Columns<T> = Readonly<Record<string, Column<T>>>;

export interface Listing<T> {
  columns: Columns<T>;
  rows: readonly T[];
  /** The columns of the table without --format. */
  shown: readonly (keyof Columns<T> & string)[];
  format: string | undefined;
  /** The column that --quiet prints alone. */
  quiet?: string | false | undefined;
}

export const formatFlag = () =>
  text('string', "Format output: table, json, a Go template ('{{.ID}}: {{.Names}}'), or 'table TEMPLATE'");

/** @throws CommandError when the template is invalid */
export async function printListing<T>(listing: Listing<T>): Promise<void> {
  writeFormatted(await formatListing(listing));
}

export async function formatListing<T>({ columns, rows, shown, format, quiet }: Listing<T>): Promise<string> {
  const template = format ?? 'table';
  if (quiet && (format === undefined || format === 'table')) {
    return rows.map(row => `${columns[quiet]!.value(row)}\n`).join('');
  }
  if (template.trim() === 'table') {
    const cells = rows.map(row => shown.map(name => String(columns[name]!.value(row))));
    return encodeTable([shown.map(name => columns[name]!.header), ...cells]);
  }
  if (template.trim() === 'json') return rows.map(row => `${formatJson(fieldsOf(columns, row))}\n`).join('');

  const table = /^table\s+/.exec(template)?.[0];
  const source = template
    .slice(table?.length ?? 0)
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  const { compileTemplate } = await import('../../formats/go-template/go-template.ts');
  let run: (row: unknown) => string;
  try {
    run = compileTemplate(source, {
      noField: name => `can't evaluate field ${name}: there are .${Object.keys(columns).join(' .')}`,
    });
  } catch (cause) {
    throw new CommandError(`failed to parse template: ${(cause as Error).message}`, { cause });
  }
  try {
    const lines = rows.map(row => run(fieldsOf(columns, row)));
    if (table === undefined) return lines.map(line => `${line}\n`).join('');
    const headers = Object.fromEntries(
      Object.entries(columns).map(([name, { header, method }]) => [
        name,
        method ? (of: string) => of : header,
      ]),
    );
    return encodeTable([run(headers), ...lines].map(line => line.split('\t')));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new CommandError(`failed to execute template: ${cause.message}`, { cause });
  }
}

/** Sorted by name, as Go writes maps. */
export function fieldsOf<T>(columns: Columns<T>, row: T): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(columns)
      .sort()
      .map(name => [name, columns[name]!.value(row)]),
  );
}

/** Cuts the value to `length` characters, the last of them '…'. */
export function ellipsis(value: string, length: number): string {
  const letters = [...value];
  return letters.length <= length ? value : `${letters.slice(0, length - 1).join('')}…`;
}

/** 'a=1,b=2' */
export const joinLabels = (labels: Record<string, string> | null | undefined): string =>
  Object.keys(labels ?? {})
    .sort()
    .map(name => `${name}=${labels![name]}`)
    .join(',');

/** '2026-11-20 20:22:10 +0000 UTC': local time, as Go prints it. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const name =
    offset === 0
      ? 'UTC'
      : (/ ([A-Z]{2,5})$/.exec(date.toLocaleTimeString('en-US', { timeZoneName: 'short' }))?.[1] ?? zone);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone} ${name}`;
}
