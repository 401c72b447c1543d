// Parses an exercise's hints.md: a ## for each task's id, and below it three ###, from a nudge to nearly the answer.

/** The hints of each task, the vaguest first. */
export function hintsOf(markdown: string): Map<string, string[]> {
  const hints = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of markdown.split('\n')) {
    const task = /^## (\S+)\s*$/.exec(line);
    if (task !== null) {
      current = [];
      hints.set(task[1]!, current);
    } else if (line.startsWith('### ')) current.push('');
    else if (current.length > 0) current[current.length - 1] += `${line}\n`;
  }
  for (const levels of hints.values())
    for (const [index, text] of levels.entries()) levels[index] = text.trim();
  return hints;
}
