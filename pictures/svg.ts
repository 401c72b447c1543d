// Draws terminals as SVG, for README.md: light or dark as the reader's system is, and with the text for those who listen.
import { plain, type Run, type Style } from './screen.ts';

export interface Terminal {
  title: string;
  columns: number;
  lines: Run[][];
}

/** Pixels. */
const [CELL, LINE, EDGE, BAR] = [8.4, 18, 14, 28];

const CSS = `
.window { fill: #ffffff; stroke: #d0d7de }
.bar { fill: #f6f8fa } .title { fill: #57606a }
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #24292f; white-space: pre }
.b { font-weight: bold } .d { opacity: .65 } .u { text-decoration: underline } .i { fill: #0969da; font-weight: bold }
.c1 { fill: #cf222e } .c2 { fill: #1a7f37 } .c3 { fill: #7d4e00 } .c4 { fill: #0550ae } .c5 { fill: #8250df } .c6 { fill: #1b7c83 }
@media (prefers-color-scheme: dark) {
  .window { fill: #0d1117; stroke: #30363d } .bar { fill: #161b22 } .title { fill: #8b949e } text { fill: #c9d1d9 }
  .i { fill: #79c0ff }
  .c1 { fill: #ff7b72 } .c2 { fill: #7ee787 } .c3 { fill: #e3b341 } .c4 { fill: #79c0ff } .c5 { fill: #d2a8ff } .c6 { fill: #76e3ea }
}`;

/** Several terminals stand side by side. `alternative` describes the picture in a sentence. */
export function drawTerminals(terminals: readonly Terminal[], alternative: string): string {
  const rows = Math.max(...terminals.map(({ lines }) => lines.length));
  const widths = terminals.map(({ columns }) => columns * CELL + 2 * EDGE);
  const height = BAR + rows * LINE + 2 * EDGE;
  const width = widths.reduce((sum, each) => sum + each + EDGE, -EDGE);
  let left = 0;
  const windows = terminals.map((terminal, index) => {
    const drawn = window(terminal, { left, width: widths[index]!, height });
    left += widths[index]! + EDGE;
    return drawn;
  });
  const text = terminals.map(({ lines }) => plain(lines)).join('\n\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${px(width)} ${px(height)}" width="${px(width)}" xml:space="preserve" role="img" aria-labelledby="t d">
<title id="t">${escaped(alternative)}</title>
<desc id="d">${escaped(text)}</desc>
<style>${CSS}
</style>
${windows.join('\n')}
</svg>
`;
}

function window(
  { title, lines }: Terminal,
  { left, width, height }: { left: number; width: number; height: number },
): string {
  const texts = lines.map((runs, row) => {
    let column = 0;
    const spans = runs.map(({ text, style }) => {
      const x = px(left + EDGE + column * CELL);
      column += [...text].length;
      return `<tspan x="${x}"${classes(style)}>${escaped(text)}</tspan>`;
    });
    return `<text y="${px(BAR + EDGE + (row + 0.75) * LINE)}" aria-hidden="true">${spans.join('')}</text>`;
  });
  return `<rect class="window" x="${px(left + 0.5)}" y="0.5" width="${px(width - 1)}" height="${px(height - 1)}" rx="6"/>
<rect class="bar" x="${px(left + 1)}" y="1" width="${px(width - 2)}" height="${BAR}" rx="6"/>
<text class="title" x="${px(left + EDGE)}" y="19" aria-hidden="true"><tspan class="title">${escaped(title)}</tspan></text>
${texts.join('\n')}`;
}

function classes({ bold, dim, inverse, underline, colour }: Style): string {
  const names = [
    bold && 'b',
    dim && 'd',
    underline && 'u',
    inverse && 'i',
    colour ? `c${colour % 8}` : '',
  ].filter(Boolean);
  return names.length === 0 ? '' : ` class="${names.join(' ')}"`;
}

const px = (value: number): string => String(Math.round(value * 10) / 10);
const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, each => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[each]!);
