import { expect, test } from 'vitest';
import { HelpError, integer, list, parseFlags, text, toggle, toggleOff } from './flags.ts';

const table = {
  interactive: toggle('', 'i'),
  tty: toggle('', 't'),
  rm: toggle(''),
  'sig-proxy': toggleOff(''),
  name: text('string', ''),
  publish: list('list', '', 'p'),
  'memory-swap': integer('int', ''),
  env: list('list', '', 'e'),
};
const parse = (line: string, interspersed = true) =>
  parseFlags(table, line.split(' ').filter(Boolean), { interspersed });

test('switches stand together, and the last may have a value', () => {
  const { flags, args } = parse('-itp 80:80 -p81:81 -p=82:82 image');
  expect(flags).toMatchObject({ interactive: true, tty: true, publish: ['80:80', '81:81', '82:82'] });
  expect(args).toEqual(['image']);
});

test('flags behind the image belong to the command', () => {
  const { flags, args } = parse('--rm -e A=1 busybox ls -i --name x', false);
  expect(flags).toMatchObject({ rm: true, interactive: false, env: ['A=1'], name: undefined });
  expect(args).toEqual(['busybox', 'ls', '-i', '--name', 'x']);
});

test('flags between arguments count where the command has none of its own', () => {
  expect(parse('a --rm b -- --tty').args).toEqual(['a', 'b', '--tty']);
  expect(parse('a --rm b').flags.rm).toBe(true);
});

test('a value may begin with a dash, be empty, and switches may be switched off', () => {
  const { flags, given } = parse('--memory-swap -1 --name= --sig-proxy=false --rm=0 -i=false');
  expect(flags).toMatchObject({
    'memory-swap': -1,
    name: '',
    'sig-proxy': false,
    rm: false,
    interactive: false,
  });
  expect(given.has('rm')).toBe(true);
});

test.each([
  ['--foo', 'unknown flag: --foo'],
  ['-z', "unknown shorthand flag: 'z' in -z"],
  ['-iz', "unknown shorthand flag: 'z' in -iz"],
  ['--name', 'flag needs an argument: --name'],
  ['-p', "flag needs an argument: 'p' in -p"],
  ['--rm=x', 'invalid argument "x" for "--rm" flag: strconv.ParseBool: parsing "x": invalid syntax'],
  [
    '-i=x',
    'invalid argument "x" for "-i, --interactive" flag: strconv.ParseBool: parsing "x": invalid syntax',
  ],
  [
    '--memory-swap 1x',
    'invalid argument "1x" for "--memory-swap" flag: strconv.ParseInt: parsing "1x": invalid syntax',
  ],
  ['--=x', 'bad flag syntax: --=x'],
  ['--constructor', 'unknown flag: --constructor'],
])("%s is refused in Docker's words", (line, message) => {
  expect(() => parse(line)).toThrow(message);
});

test('--help and -h ask for help', () => {
  expect(() => parse('--help')).toThrow(HelpError);
  expect(() => parse('-h')).toThrow(HelpError);
});
