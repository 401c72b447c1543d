// Extracts the questions of a chapter's README.md, or the answers of its answers.md: the numbered list below the heading.
import { marked, type Tokens } from 'marked';

/** The items of the list as Markdown, without their numbers. */
export function questionsOf(markdown: string): string[] {
  const tokens = marked.lexer(markdown);
  const heading = tokens.findIndex(
    token => token.type === 'heading' && /^(Questions|Answers)$/.test((token as Tokens.Heading).text),
  );
  const list = tokens.slice(heading + 1).find(token => token.type === 'list') as Tokens.List | undefined;
  return heading < 0 || list === undefined ? [] : list.items.map(({ text }) => text);
}
