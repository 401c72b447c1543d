import { readFileSync } from 'node:fs';
import { ExpectedError } from '../../formats/errors.ts';
import { type Command, flag, text, toggle, value } from '../command.ts';
import { idsIn, publicState, readState, statusOf } from '../container-state.ts';

export const command: Command = {
  args: '',
  summary: 'lists containers started by the runtime with the given root',
  options: {
    format: value('select one of: table or json (default: "table")', 'f'),
    quiet: toggle('display only container IDs', 'q'),
  },
  run(invocation) {
    const { root } = invocation.globals;
    const rows = idsIn(root).map(id => {
      const stored = readState(root, id);
      const { ociVersion, pid, status, bundle } = publicState(stored, statusOf(root, stored));
      const { created, owner, spec } = stored;
      return { ociVersion, id, pid, status, bundle, rootfs: spec.root.path, created, owner: userName(owner) };
    });
    if (flag(invocation, 'quiet')) {
      process.stdout.write(rows.map(({ id }) => `${id}\n`).join(''));
      return 0;
    }
    const format = text(invocation, 'format') ?? 'table';
    if (format === 'json') process.stdout.write(`${rows.length === 0 ? 'null' : JSON.stringify(rows)}\n`);
    else if (format === 'table')
      process.stdout.write(
        table([
          ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
          ...rows.map(each => [each.id, `${each.pid}`, each.status, each.bundle, each.created, each.owner]),
        ]),
      );
    else throw new ExpectedError('badParameter', 'invalid format option');
  },
};

/** Columns of at least 12 characters, as runc's tabwriter makes them. */
function table(rows: string[][]): string {
  const last = rows[0]!.length - 1;
  const widths = rows[0]!.map((_, column) => Math.max(12, ...rows.map(row => row[column]!.length + 3)));
  const line = (row: string[]): string =>
    row.map((cell, column) => (column === last ? cell : cell.padEnd(widths[column]!))).join('');
  return rows.map(row => `${line(row)}\n`).join('');
}

function userName(uid: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find(entry => entry.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? `#${uid}`;
  } catch {
    return `#${uid}`;
  }
}
