import { expect, test } from 'vitest';
import { expand, expandDocument, expandWords, splitWords } from './words.ts';

const variables: Record<string, string> = { a: 'A', two: 'b  c', empty: '', file: 'dir/sub/x.tar.gz' };
const expansion = { escape: '\\', lookup: (name: string) => variables[name] };

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are the shell's, not ours
test.each([
  ['plain', 'plain'],
  ['$a', 'A'],
  ['${a}', 'A'],
  ['x$a.y', 'xA.y'],
  ['$a$a', 'AA'],
  ['$missing', ''],
  ['\\$a', '$a'],
  ['\\\\$a', '\\A'],
  ["'$a'", '$a'],
  ['"$a"', 'A'],
  ['"\\$a"', '$a'],
  ['"\\a"', '\\a'],
  ['"a \\"b\\""', 'a "b"'],
  ['a\\ b', 'a b'],
  ['$', '$'],
  ['$ a', '$ a'],
  ['100$', '100$'],
  ['${a:-x}', 'A'],
  ['${empty:-x}', 'x'],
  ['${empty-x}', ''],
  ['${missing-x}', 'x'],
  ['${missing:-}', ''],
  ['${missing:-$a}', 'A'],
  ['${missing:-${other:-deep}}', 'deep'],
  ["${missing:-'}'}", '}'],
  ['${a:+x}', 'x'],
  ['${empty:+x}', ''],
  ['${empty+x}', 'x'],
  ['${missing+x}', ''],
  ['${a:?no}', 'A'],
  ['${file#*/}', 'sub/x.tar.gz'],
  ['${file##*/}', 'x.tar.gz'],
  ['${file%.*}', 'dir/sub/x.tar'],
  ['${file%%.*}', 'dir/sub/x'],
  ['${file%nothing}', 'dir/sub/x.tar.gz'],
  ['${file#d?r}', '/sub/x.tar.gz'],
  ['${file/r/R}', 'diR/sub/x.tar.gz'],
  ['${file//r/R}', 'diR/sub/x.taR.gz'],
  ['${file//\\//-}', 'dir-sub-x.tar.gz'],
  ['${file/x.*/$a}', 'dir/sub/A'],
  ['${file//./$&}', 'dir/sub/x$&tar$&gz'],
])('%j stands for %j', (text, expected) => {
  expect(expand(text, expansion)).toBe(expected);
});

test.each([
  ['${a', 'the closing } is missing'],
  ['${a:-x', 'closing } is missing'],
  ['${}', "a variable's name is missing"],
  ['${a!}', 'unsupported modifier'],
  ["'a", "closing single quote (') is missing"],
  ['"a', 'closing double quote (") is missing'],
  ['${missing:?say why}', 'missing: say why'],
  ['${missing?}', 'the variable missing is not set'],
])('%j is refused with a reason', (text, reason) => {
  expect(() => expand(text, expansion)).toThrow(reason);
});

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are the shell's, not ours
test('with escape=` a backslash is an ordinary character', () => {
  expect(expand('C:\\dir\\$a `$a', { ...expansion, escape: '`' })).toBe('C:\\dir\\A $a');
});

test('words are separated by blanks outside of quotes', () => {
  expect(splitWords(`a  "b c" d\\ e 'f "g' h"i j"k`, '\\')).toEqual([
    'a',
    '"b c"',
    'd\\ e',
    `'f "g'`,
    'h"i j"k',
  ]);
});

test('blanks in a variable separate words unless it stands in quotes', () => {
  expect(expandWords('x$two "$two" \'\'', expansion)).toEqual(['xb', 'c', 'b  c', '']);
  expect(expandWords('  ', expansion)).toEqual([]);
});

test('in a here-document variables are expanded, and quotes stay', () => {
  const lookup = (name: string) => ({ A: 'arg', Q: `"'` })[name];
  const text = `{"key": "va'lue", 'k2': "$A"} \${A:-x} \${B:-"y"} $Q \\$A \\\\ \\n it's`;
  expect(expandDocument(text, { escape: '\\', lookup })).toBe(
    `{"key": "va'lue", 'k2': "arg"} arg "y" "' $A \\ \\n it's`,
  );
});
