// Code, transcripts and diagrams as HTML.

import { escaped, type Html, html, trusted } from '../../mini-docker/web/html.ts';
import { markedUp } from '../highlight.ts';

/** @param info what follows the fence: the language, and attributes for the tests */
export function codeBlock(text: string, info: string): Html {
  const [language = ''] = info.split(' ');
  if (language === 'console') return transcript(text);
  if (language === 'text') return html`<pre class="diagram" tabindex="0">${text}</pre>\n`;
  return html`<pre class="code" tabindex="0"><code>${coloured(text, language)}</code></pre>\n`;
}

// Characters that mark where a colour starts and ends. They survive escaping, and no source contains them.
const [START, NAMED, END] = ['\x01', '\x02', '\x03'];

function coloured(code: string, language: string): Html {
  const plain = code.replace(/[\x01-\x03]/g, '');
  const marked = markedUp(plain, language, (colour, part) => `${START}${colour}${NAMED}${part}${END}`);
  return trusted(
    escaped(marked)
      .replace(/\x01(\w+)\x02/g, '<span class="$1">')
      .replaceAll(END, '</span>'),
  );
}

/** What is typed at a `$`, or into the program that it started (`box#`), is marked: page.js copies only that. */
function transcript(text: string): Html {
  let continued = false;
  const lines = text.split('\n').map(line => {
    const found = continued ? ['', '', line] : /^(\$ |(?:box|\/)[^#$]*# )(.*)$/.exec(line);
    const [, prompt, typed] = found ?? [];
    continued = typed?.endsWith('\\') ?? false;
    return typed === undefined ? html`${line}\n` : html`${prompt}<kbd>${typed}</kbd>\n`;
  });
  return html`<div class="transcript"><pre tabindex="0">${lines}</pre></div>\n`;
}
