// `learn api [NAME]`: the reference of #linux.
import { type Entry, entries, exampleOf, manPages } from '../api.ts';
import { UserError } from '../course.ts';
import { render } from '../markdown.ts';
import { page } from '../page.ts';
import { bold, width } from '../screen.ts';

export function api(name: string | undefined): void {
  const all = entries();
  if (name === undefined) {
    page(listed(all));
    return;
  }
  const exact = all.filter(entry => entry.name === name);
  const found =
    exact.length > 0 ? exact : all.filter(entry => entry.name.toLowerCase() === name.toLowerCase());
  if (found.length === 0) {
    const near = all.filter(entry => entry.name.toLowerCase().includes(name.toLowerCase()));
    const hint = near.length > 0 ? `: did you mean ${near.map(entry => entry.name).join(', ')}?` : '';
    throw new UserError(`#linux has no ${name}${hint || "; 'learn api' lists all names"}`);
  }
  page(render(found.map(described).join('\n')));
}

/** One line for each entry: its name, and the first sentence of its comment. */
function listed(all: readonly Entry[]): string {
  const column = 24;
  return [...Map.groupBy(all, ({ file }) => file)]
    .map(([file, entries]) => {
      const lines = entries.map(({ name, doc }) => {
        const sentence =
          doc
            .replaceAll('`', '')
            .replaceAll('\n', ' ')
            .split(/(?<=\.) /)[0] ?? '';
        const room = width() - column - 4;
        const text = sentence.length > room ? `${sentence.slice(0, room - 1)}…` : sentence;
        return `  ${name.padEnd(column)}  ${text}`.trimEnd();
      });
      return [bold(file), ...lines].join('\n');
    })
    .join('\n\n');
}

function described(entry: Entry): string {
  const example = exampleOf(entry.name);
  const pages = manPages(entry);
  return [
    `# ${entry.name}`,
    entry.doc,
    `\`\`\`ts\n${entry.signature}\n\`\`\``,
    `Defined in \`${entry.file}\`.${pages.length > 0 ? ` Manual: ${pages.join(', ')}.` : ''}`,
    ...(example === undefined
      ? []
      : [`In the course, \`${example.file}\` line ${example.line}:`, `\`\`\`ts\n${example.text}\n\`\`\``]),
    '',
  ].join('\n\n');
}
