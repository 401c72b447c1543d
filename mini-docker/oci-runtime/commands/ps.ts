import { spawnSync } from 'node:child_process';
import { ExpectedError } from '../../formats/errors.ts';
import { type Command, text, value } from '../command.ts';
import { readState } from '../container-state.ts';
import { processesOf } from '../processes.ts';

export const command: Command = {
  args: '<container-id> [ps options]',
  summary: 'ps displays the processes running inside a container',
  takesProgram: true,
  options: {
    format: value('select one of: table or json (default: "table")', 'f'),
  },
  run(invocation) {
    const [id, ...words] = invocation.args;
    // As in `ps -f json ID` and in `ps ID -f json`, which clients of runc write.
    const at = words.findIndex(word => word === '--format' || word === '-f');
    const format =
      text(invocation, 'format') ?? (at >= 0 && words.length > at + 1 ? words.splice(at, 2)[1] : 'table');
    const pids = processesOf(readState(invocation.globals.root, id!));
    if (format === 'json') {
      process.stdout.write(`${JSON.stringify(pids)}\n`);
      return 0;
    }
    if (format !== 'table') throw new ExpectedError('badParameter', 'invalid format option');
    const { error, stdout } = spawnSync('ps', words.length > 0 ? words : ['-ef'], { encoding: 'utf8' });
    if (error !== undefined) throw new Error(`ps cannot be run: ${error.message}`);
    const [title = '', ...lines] = stdout.split('\n');
    const column = title.trim().split(/\s+/).indexOf('PID');
    if (column < 0) throw new ExpectedError('badParameter', "couldn't find PID field in ps output");
    const own = lines.filter(line => pids.includes(Number(line.trim().split(/\s+/)[column])));
    process.stdout.write([title, ...own].map(line => `${line}\n`).join(''));
  },
};
