import { expect, test } from 'vitest';
import { decodeEnvFile } from './env-file.ts';

test('variables, comments, quotes, values from the environment', () => {
  const text = '\uFEFFA=1\n# no\n\n  B="two words" \nHOME\nNOT_SET\nC=a=b\nD=\r\n';
  const lookup = (key: string) => (key === 'HOME' ? '/root' : undefined);
  expect(decodeEnvFile(text, lookup)).toEqual(['A=1', 'B="two words" ', 'HOME=/root', 'C=a=b', 'D=']);
});

test('a line that is no variable is named', () => {
  expect(() => decodeEnvFile('A=1\nmy var=2', () => undefined)).toThrow(
    "variable 'my var' contains whitespaces (line 2)",
  );
  expect(() => decodeEnvFile('=x', () => undefined)).toThrow("no variable name on line 1 ('=x')");
});
