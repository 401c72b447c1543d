// Renders Markdown as HTML. Raw HTML in it is shown, not used.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { Marked, type Token, type Tokens } from 'marked';
import { escaped, type Html, html, trusted } from '../../mini-docker/web/html.ts';
import { repository } from '../repository.ts';
import { codeBlock } from './code.ts';
import { hrefBetween, pageOfFile } from './paths.ts';

export interface Place {
  /** The page that shows the text: 'source/learn/main.ts.html'. */
  page: string;
  /** The Markdown's own file, which its links are relative to: 'docs/tour.md'. */
  file: string;
}

export function rendered(markdown: string, place: Place): Html {
  return renderedTokens(tokensOf(markdown), place);
}

export function tokensOf(markdown: string): Token[] {
  return new Marked().lexer(markdown);
}

export function renderedTokens(tokens: Token[], place: Place): Html {
  const marked = new Marked({ renderer: rendererFor(place) });
  return trusted(marked.parser(tokens));
}

/** The id that GitHub gives a heading, so that links work there and here. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

function rendererFor({ page, file }: Place) {
  /** The page of a file that the text names by its path in the repository, or in the text's own folder. */
  const pageOf = (name: string): string | undefined => {
    const found = [name, join(dirname(file), name)].map(normalize).find(isFile);
    return found === undefined ? undefined : pageOfFile(found);
  };
  return {
    code: ({ text, lang = '' }: Tokens.Code): string => codeBlock(text, lang).html,
    html: ({ text }: Tokens.HTML | Tokens.Tag): string => escaped(text),
    codespan: ({ text }: Tokens.Codespan): string => {
      const code = html`<code>${text}</code>`;
      const target = /\.(?:ts|md|sh)$/.test(text) ? pageOf(text) : undefined;
      return target === undefined ? code.html : html`<a href="${hrefBetween(page, target)}">${code}</a>`.html;
    },
    heading(this: Rendering, { tokens, depth, text }: Tokens.Heading): string {
      const inner = trusted(this.parser.parseInline(tokens));
      return html`<h${depth} id="${anchorOf(text)}">${inner}</h${depth}>\n`.html;
    },
    link(this: Rendering, { href, tokens }: Tokens.Link): string {
      const inner = trusted(this.parser.parseInline(tokens));
      if (/^(?:https?:|#)/.test(href)) return html`<a href="${href}">${inner}</a>`.html;
      const target = pageOf(href.replace(/#.*/, ''));
      return target === undefined
        ? inner.html
        : html`<a href="${hrefBetween(page, target)}">${inner}</a>`.html;
    },
    image: ({ text }: Tokens.Image): string => escaped(text),
    table(this: Rendering, { header, rows }: Tokens.Table): string {
      const cell = (each: Tokens.TableCell): Html => trusted(this.parser.parseInline(each.tokens));
      const heads = header.map(each => html`<th scope="col">${cell(each)}</th>`);
      const body = rows.map(row => html`<tr>${row.map(each => html`<td>${cell(each)}</td>`)}</tr>\n`);
      return html`<div class="table" tabindex="0"><table>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody>
</table></div>\n`.html;
    },
  };
}

interface Rendering {
  parser: { parseInline(tokens: Token[]): string };
}

function isFile(path: string): boolean {
  const full = join(repository, path);
  return !path.startsWith('..') && existsSync(full) && statSync(full).isFile();
}
