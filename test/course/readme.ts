// The parts of a chapter's README that tests hold it to: code that is taken from files, and transcripts.
export interface Block {
  /** 'ts', 'console', 'text', … */
  language: string;
  /** file=box.ts, needs=strace: what stands behind the language. */
  attributes: Map<string, string>;
  lines: string[];
  /** Of its first line in the README, counted from 1. */
  line: number;
}

export function blocksOf(readme: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  readme.split('\n').forEach((line, index) => {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open !== undefined) {
      blocks.push(open);
      open = undefined;
    } else {
      const [language = '', ...words] = fence[1]!.trim().split(/\s+/);
      const attributes = new Map(
        words.map((word): [string, string] => {
          const [name = '', ...value] = word.split('=');
          return [name, value.join('=')];
        }),
      );
      open = { language, attributes, lines: [], line: index + 2 };
    }
  });
  if (open !== undefined) throw new Error(`README line ${open.line - 1}: this block has no end`);
  return blocks;
}

/**
 * Whether code of a README stands in a file as it is shown: the same lines one after another, whatever their
 * indentation has in common. A line of only … stands for any number of lines.
 */
export function isTakenFrom(shown: readonly string[], file: string): boolean {
  const parts: string[][] = [[]];
  for (const line of shown) {
    if (line.trim() === '…') parts.push([]);
    else parts.at(-1)!.push(line);
  }
  const lines = file.split('\n');
  let from = 0;
  for (const part of parts.filter(each => each.length > 0)) {
    const at = lines.findIndex(
      (_, index) => index >= from && sameBlock(part, lines.slice(index, index + part.length)),
    );
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

/** A `diff` block: its lines with - and blank are in the old file, those with + and blank in the new one. */
export function isDifference(shown: readonly string[], older: string, newer: string): boolean {
  const side = (sign: string): string[] => {
    const lines = shown.filter(
      line => line.startsWith(sign) || line.startsWith(' ') || line === '' || line.trim() === '…',
    );
    return lines.map(line => (line.trim() === '…' ? '…' : line.slice(1)));
  };
  return isTakenFrom(side('-'), older) && isTakenFrom(side('+'), newer);
}

function sameBlock(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && dedent(a).every((line, index) => line === dedent(b)[index]);
}

function dedent(lines: readonly string[]): string[] {
  const indents = lines.filter(line => line.trim() !== '').map(line => line.length - line.trimStart().length);
  const common = Math.min(...indents);
  return lines.map(line => line.slice(common).trimEnd());
}
