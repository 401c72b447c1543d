// Transcripts: what a chapter says that a terminal shows, run again and compared.
//
//   $ command          typed in the sandbox's shell; a line that ends in \ goes on in the next
//   box# command       typed into the program that the last $ line started, until it ends
//   ‹4026532345›       differs from run to run; the same text in one block must be the same again
//   …                  in a line: anything; alone on a line: any lines

export interface Command {
  /** As typed. */
  text: string;
  /** Where it stands in its block. */
  line: number;
  output: string[];
  /** Typed into it. */
  inner: { text: string; output: string[] }[];
}

/** @param lines of a console block */
export function commandsOf(lines: readonly string[]): Command[] {
  const commands: Command[] = [];
  let goesOn = false;
  lines.forEach((line, index) => {
    const current = commands.at(-1);
    if (goesOn && current !== undefined) {
      current.text += `\n${line}`;
      goesOn = line.endsWith('\\');
    } else if (line.startsWith('$ ')) {
      commands.push({ text: line.slice(2), line: index, output: [], inner: [] });
      goesOn = line.endsWith('\\');
    } else if (current === undefined) {
      throw new Error(`a transcript begins with a command: ${line}`);
    } else {
      const inner = /^(?:box|\/)[^#$]*# (.*)$/.exec(line);
      if (inner !== null) current.inner.push({ text: inner[1]!, output: [] });
      else (current.inner.at(-1) ?? current).output.push(line);
    }
  });
  return commands;
}

/** Compares; undefined when all is as shown, else what is not. `known` collects what marked values are. */
export function difference(
  shown: readonly string[],
  seen: readonly string[],
  known: Map<string, string>,
): string | undefined {
  const rest = [...shown];
  let at = 0;
  while (rest.length > 0) {
    const line = rest.shift()!;
    if (line.trim() === '…') {
      if (rest.length === 0) return undefined;
      while (at < seen.length && !matches(rest[0]!, seen[at]!, new Map(known))) at++;
      continue;
    }
    const actual = seen[at++];
    if (actual === undefined) return `missing: ${line}`;
    if (!matches(line, actual, known)) return `shown:  ${line}\n  actual: ${actual}`;
  }
  return at < seen.length ? `not shown: ${seen[at]}` : undefined;
}

const MARKED = /‹([^›]*)›/g;

function matches(shown: string, actual: string, known: Map<string, string>): boolean {
  const names: string[] = [];
  const pattern = shown
    .trim()
    .split(MARKED)
    .map((part, index) => {
      if (index % 2 === 1) names.push(part);
      return index % 2 === 1 ? '(.+?)' : patternOf(part);
    })
    .join('');
  const found = new RegExp(`^${pattern}$`).exec(actual.trim());
  if (found === null) return false;
  for (const [index, name] of names.entries()) {
    const value = found[index + 1]!;
    const before = known.get(name);
    if (before !== undefined && before !== value) return false;
    // Two namespaces that are shown as two must be two.
    if (
      before === undefined &&
      /^\d{10}$/.test(name) &&
      [...known].some(([key, other]) => /^\d{10}$/.test(key) && other === value)
    ) {
      return false;
    }
    known.set(name, value);
  }
  return true;
}

/** Columns may be wider or narrower than shown. */
function patternOf(text: string): string {
  const parts = text.split('…').map(part => part.split(/\s+/).map(RegExp.escape).join('\\s+'));
  return parts.join('.*');
}
