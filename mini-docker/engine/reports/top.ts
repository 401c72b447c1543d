// GET /containers/ID/top: the container's processes, read from /proc as ps(1) does, with the host's pids.

import { readFileSync } from 'node:fs';
import { totalmem, uptime } from 'node:os';
import type { ContainerTop } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import { decodePasswd } from '../../formats/user-database.ts';
import { CLOCK_TICK, readStat, type Stat } from '../../linux/proc/stat.ts';
import { commandLines } from '../../runtime/command-lines.ts';

interface Row {
  stat: Stat;
  uid: number;
  command: string;
  /** Virtual memory in kilobytes. */
  virtual: number;
  resident: number;
}

type Column = [title: string, value: (row: Row) => string];

const PAGE_KB = 4;

const cpuSeconds = ({ stat }: Row) => (stat.userTime + stat.systemTime) * CLOCK_TICK;
const age = ({ stat }: Row) => Math.max(uptime() - stat.startTime * CLOCK_TICK, 0);
const share = (row: Row) => (age(row) > 0 ? (100 * cpuSeconds(row)) / age(row) : 0);

const COLUMNS: Record<string, Column> = {
  pid: ['PID', ({ stat }) => String(stat.pid)],
  ppid: ['PPID', ({ stat }) => String(stat.ppid)],
  pgid: ['PGID', ({ stat }) => String(stat.processGroup)],
  sid: ['SID', ({ stat }) => String(stat.session)],
  uid: ['UID', ({ uid }) => String(uid)],
  user: ['USER', ({ uid }) => userName(uid)],
  c: ['C', row => String(Math.floor(Math.min(share(row), 99)))],
  pcpu: ['%CPU', row => share(row).toFixed(1)],
  pmem: ['%MEM', ({ resident }) => ((100 * resident * 1024) / totalmem()).toFixed(1)],
  vsz: ['VSZ', ({ virtual }) => String(virtual)],
  rss: ['RSS', ({ resident }) => String(resident)],
  tty: ['TTY', ({ stat }) => terminalName(stat.tty)],
  stat: ['STAT', ({ stat }) => stat.state],
  state: ['S', ({ stat }) => stat.state],
  stime: ['STIME', row => startText(age(row))],
  start: ['START', row => startText(age(row))],
  time: ['TIME', row => clock(cpuSeconds(row))],
  etime: ['ELAPSED', row => elapsed(age(row))],
  nlwp: ['NLWP', ({ stat }) => String(stat.threads)],
  comm: ['COMMAND', ({ stat }) => stat.comm],
  args: ['COMMAND', ({ command }) => command],
  cmd: ['CMD', ({ command }) => command],
};

const ALIASES: Record<string, string> = {
  command: 'args',
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  vsize: 'vsz',
  rssize: 'rss',
  tname: 'tty',
  tt: 'tty',
  s: 'state',
  lstart: 'start',
  euser: 'user',
  ucmd: 'comm',
  thcount: 'nlwp',
};

const FULL = 'user,pid,ppid,c,stime,tty,time,cmd'.split(',');
const PLAIN = 'pid,tty,time,cmd'.split(',');
const USER_ORIENTED = 'user,pid,pcpu,pmem,vsz,rss,tty,stat,start,time,args'.split(',');

/** `psArgs`: '-ef', 'aux', '-o pid,comm', 'o pid args'. @throws badParameter when a column is unknown */
export async function processTable(pids: number[], psArgs: string): Promise<ContainerTop> {
  const columns = columnsOf(psArgs);
  const commands = await commandLines(pids);
  const rows = pids
    .flatMap((pid, index) => readRow(pid, commands[index]!) ?? [])
    .sort((a, b) => a.stat.pid - b.stat.pid);
  return {
    Titles: columns.map(([title]) => title),
    Processes: rows.map(row => columns.map(([, value]) => value(row))),
  };
}

function columnsOf(psArgs: string): Column[] {
  const words = psArgs.split(/\s+/).filter(Boolean);
  const named: string[] = [];
  for (let index = 0; index < words.length; index++) {
    // '-o pid', '-opid', '-eo pid', '--format=pid'; without a dash only in front: 'axo pid'.
    const match = /^(?:-(?!-)[A-Za-z]*?o|--format=?)(.*)$/.exec(words[index]!);
    const isBare = index === 0 && /^[a-z]{0,3}o$/.test(words[index]!);
    if (match !== null || isBare) named.push(match?.[1] || (words[++index] ?? ''));
  }
  if (named.length > 0) return named.join(',').split(',').filter(Boolean).map(columnNamed);
  const options = words.join('');
  if (/^[^-]*u/.test(options)) return USER_ORIENTED.map(columnNamed);
  return (options.includes('f') || words.length === 0 ? FULL : PLAIN).map(columnNamed).map(asUid);
}

function columnNamed(spec: string): Column {
  const [name = '', title] = spec.split('=');
  const key = ALIASES[name.toLowerCase()] ?? name.toLowerCase();
  const column = Object.hasOwn(COLUMNS, key) ? COLUMNS[key] : undefined;
  if (!column) throw badParameter(`ps: error: unknown user-defined format specifier "${name}"`);
  return title === undefined ? column : [title, column[1]];
}

/** ps -f calls the user's name UID. */
function asUid([title, value]: Column): Column {
  return [title === 'USER' ? 'UID' : title, value];
}

function readRow(pid: number, words: string[]): Row | undefined {
  const stat = readStat(pid);
  if (!stat) return undefined;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? '0';
    return {
      stat,
      uid: Number(field('Uid')),
      command: words.length > 0 ? words.join(' ') : `[${stat.comm}]`,
      virtual: Number(field('VmSize')),
      resident: stat.residentPages * PAGE_KB,
    };
  } catch {
    // The process exited meanwhile.
    return undefined;
  }
}

function userName(uid: number): string {
  try {
    const entry = decodePasswd(readFileSync('/etc/passwd', 'utf8')).find(each => each.uid === uid);
    return entry?.name ?? String(uid);
  } catch {
    return String(uid);
  }
}

/** Major 136 to 143 are pseudo-terminals (kernel, Documentation/admin-guide/devices.txt). */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (device === 0) return '?';
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : `${major}:${minor}`;
}

function startText(seconds: number): string {
  const start = new Date(Date.now() - seconds * 1000);
  const text = start.toString();
  return seconds < 86_400 ? text.slice(16, 21) : `${text.slice(4, 7)}${text.slice(8, 10)}`;
}

function clock(seconds: number): string {
  const pad = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${pad(seconds / 3600)}:${pad((seconds / 60) % 60)}:${pad(seconds % 60)}`;
}

function elapsed(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const time = clock(seconds % 86_400);
  if (days > 0) return `${days}-${time}`;
  return seconds < 3600 ? time.slice(3) : time;
}
