import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDockerfile, parseInstructions } from './dockerfile.ts';

const golden = (name: string): string => join(import.meta.dirname, 'golden', name);

test('a Dockerfile with everything in it reads as the golden file says', async () => {
  const parsed = parseDockerfile(readFileSync(golden('everything.Dockerfile'), 'utf8'));
  await expect(`${JSON.stringify(parsed, null, 2)}\n`).toMatchFileSnapshot(golden('everything.txt'));
});

const problem = (text: string): string => {
  try {
    const { stages } = parseDockerfile(text);
    // Flags that cannot be had are an error for those who need the instruction.
    for (const each of stages.flatMap(stage => stage.instructions)) {
      if (each.kind === 'refused') throw each.error;
    }
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};

test('an unknown instruction is shown with its line and the one that was meant', () => {
  expect(problem('FROM busybox\n\nRNU echo hi \\\n  there\n')).toBe(
    'dockerfile parse error on line 3: unknown instruction: RNU; did you mean RUN?\n   3 | RNU echo hi \\',
  );
  expect(problem('FROM busybox\nENTRYPIONT x')).toContain('did you mean ENTRYPOINT?');
  expect(problem('FROM busybox\nQQQQ x')).toMatch(
    /^dockerfile parse error on line 2: unknown instruction: QQQQ\n/,
  );
});

test.each([
  ['', 'dockerfile parse error on line 1: the Dockerfile (Dockerfile) cannot be empty'],
  ['# nothing\n', 'cannot be empty'],
  ['ARG a\n', 'the Dockerfile has no FROM'],
  ['RUN true\nFROM busybox', 'dockerfile parse error on line 1: no build stage in current context'],
  ['FROM', 'FROM requires at least one argument'],
  ['FROM a b', 'FROM IMAGE [AS NAME]'],
  ['FROM a AS 1', 'invalid name for build stage'],
  ['FROM a AS x\nFROM b AS X', 'dockerfile parse error on line 2: two stages have the name x'],
  ['FROM a\nCOPY x', 'COPY requires at least two arguments'],
  ['FROM a\nCOPY --form=x a b', 'unknown flag for COPY: --form; did you mean --from?'],
  ['FROM a\nCOPY --chown a b', 'the flag --chown needs a value'],
  ['FROM a\nRUN --network=mars true', 'invalid network for RUN: mars'],
  ['FROM a\nRUN --security=insecure true', '--security=insecure is not supported'],
  ['FROM a\nENV a=b c', `can't find = in "c"`],
  ['FROM a\nENV a', 'ENV must have two arguments'],
  ['FROM a\nENV =b', 'ENV names can not be blank'],
  ['FROM a\nSHELL /bin/sh', 'SHELL requires the arguments to be in JSON form'],
  ['FROM a\nHEALTHCHECK WGET x', 'unknown type "WGET" of HEALTHCHECK'],
  ['FROM a\nHEALTHCHECK --interval=5 CMD x', 'missing unit'],
  ['FROM a\nHEALTHCHECK --retries=0 CMD x', '--retries must be at least 1'],
  ['FROM a\nCMD ["a", 1]', 'arrays must be comprised of strings only'],
  ['FROM a\nONBUILD ONBUILD RUN x', "ONBUILD isn't allowed as an ONBUILD trigger"],
  ['FROM a\nONBUILD RNU x', 'did you mean RUN?'],
  ['FROM a\nRUN <<EOF\ntrue\n', 'the here-document EOF has no end'],
  ['# escape=x\nFROM a', 'the escape character must be'],
  [
    '# escape=\\\n# escape=`\nFROM a',
    'dockerfile parse error on line 2: the directive escape is given twice',
  ],
])('%j is refused with a reason', (text, reason) => {
  expect(problem(text)).toContain(reason);
});

const texts = (text: string): string[] =>
  parseDockerfile(text).stages.flatMap(stage => stage.instructions.map(each => each.text));

test('lines are continued over comments and empty lines, and not by an escape that is escaped', () => {
  expect(texts('FROM a\nRUN a \\\n# no\n\n   b\\ \t\n c')).toEqual(['RUN a    b c']);
  expect(texts('FROM a\nRUN a\\\\\nRUN b')).toEqual(['RUN a\\\\', 'RUN b']);
  expect(texts('FROM a\nRUN a \\')).toEqual(['RUN a']);
  expect(texts('\uFEFFFROM a\r\nRUN a \\\r\n b\r\n')).toEqual(['RUN a  b']);
});

test('directives end with the first line that is none', () => {
  const { directives } = parseDockerfile('# a comment\n# escape=`\nFROM a');
  expect(directives).toEqual({ escape: '\\' });
});

test('a statement knows the line it starts on, whatever stands above it', () => {
  const { stages } = parseDockerfile('FROM a\nRUN <<X cat\n1\n2\nX\n\n# c\nRUN b \\\n c\nRUN d');
  expect(stages[0]!.instructions.map(each => each.line)).toEqual([2, 8, 10]);
});

test('a here-string, an arrow in quotes and arithmetic are no here-documents', () => {
  expect(texts('FROM a\nRUN cat <<< x\nRUN echo "a <<EOF"\nRUN b')).toHaveLength(3);
  expect(texts('FROM a\nRUN echo $((1 << 3))\nRUN echo $((1 << n ))\nRUN b')).toHaveLength(3);
});

test.each([
  ['RUN cat <<EOF', true],
  ['RUN cat <<\\EOF', false],
  ["RUN cat <<'EOF'", false],
  ['RUN cat << EOF > /x', true],
  ['RUN cat <<- \\EOF', false],
  ['COPY << EOF /x', true],
  ['COPY <<- "EOF" /x', false],
])('%s is a here-document; its variables are expanded: %j', (line, expands) => {
  const { stages } = parseDockerfile(`FROM a\n${line}\na "$b"\nEOF\nRUN c`);
  const [first] = stages[0]!.instructions;
  expect(stages[0]!.instructions).toHaveLength(2);
  expect(first).toMatchObject({ documents: [{ name: 'EOF', content: 'a "$b"\n', expands }] });
  if (first!.kind === 'copy') expect(first!.sources).toHaveLength(1);
});

test.each(['--bogus', '--security=insecure'])(
  'the flag %s is an error only in a stage that is built',
  flag => {
    const [stage] = parseDockerfile(`FROM a AS x\nRUN ${flag} x\nFROM b`).stages;
    expect(stage!.instructions).toMatchObject([{ kind: 'refused' }]);
    expect(() => parseDockerfile(`FROM ${flag} a`)).toThrow('unknown flag for FROM');
    expect(() => parseInstructions(`RUN ${flag} a`, '--change')).toThrow(flag);
  },
);

test('changes of a commit are read as instructions without stages', () => {
  expect(parseInstructions('ENV a=b\nCMD ["x"]', '--change')).toMatchObject([
    { kind: 'env', pairs: [['a', 'b']] },
    { kind: 'cmd', command: { form: 'exec', words: ['x'] } },
  ]);
});
