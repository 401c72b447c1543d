// The part of a page that shows the picture; assets/picture.js fills it in.
import { type Html, html } from '../../web/html.ts';
import type { Action } from '../view/state.ts';

/** @param stream the address of its events, beside the page */
export function picturePart(stream: string, actions: readonly Action[] = []): Html {
  const buttons = actions.map(
    ({ word, asks }) =>
      html`<button type="button" data-action="${word}"${asks && html` data-asks`} disabled>${word}</button>\n`,
  );
  return html`<p class="state" data-state role="status">Looking …</p>
${
  actions.length > 0 &&
  html`<div class="actions" role="group" aria-label="Actions">
<strong data-name></strong>
${buttons}<span class="shell">A shell in it: <code data-shell></code></span>
</div>
<dialog data-question aria-labelledby="question"><p id="question"></p><button type="button" data-yes>Yes</button> <button type="button" data-no>No</button></dialog>
<section class="output" data-output aria-label="Output" hidden>
<h2 tabindex="-1"></h2>
<button type="button" data-close>Close</button>
<pre tabindex="0"></pre>
</section>
`
}<div class="picture" data-picture="${stream}"></div>
<p class="unseen" data-news role="status"></p>`;
}
