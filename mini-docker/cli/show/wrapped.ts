/** Joins words to lines of at most `width` columns; a longer word has a line of its own. */
export function wrapped(words: readonly string[], width: number, glue = ' '): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = lines.length === 0 ? undefined : lines.at(-1) + glue + word;
    if (longer !== undefined && longer.trimEnd().length <= width) lines[lines.length - 1] = longer;
    else lines.push(word.trimStart());
  }
  return lines.map(line => line.trimEnd());
}
