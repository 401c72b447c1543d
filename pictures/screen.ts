// A screen as tmux shows it to a person: its text with SGR sequences for colours (ECMA-48, 8.3.117), as cells of a grid.

export interface Style {
  bold?: boolean;
  dim?: boolean;
  inverse?: boolean;
  underline?: boolean;
  /** 0 to 7, with 8 to 15 for the bright ones. */
  colour?: number;
}

/** Neighbouring characters of one style. */
export interface Run {
  text: string;
  style: Style;
}

/** @param screen what `tmux capture-pane -e -p` prints; empty lines at the end are dropped */
export function decodeScreen(screen: string): Run[][] {
  let style: Style = {};
  const lines = screen.trimEnd().split('\n');
  return lines.map(line => {
    const runs: Run[] = [];
    for (const [, codes, text] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
      if (codes !== undefined) style = styled(style, codes.split(';').map(Number));
      else if (text !== undefined) runs.push({ text, style });
    }
    return runs;
  });
}

export const plain = (lines: readonly Run[][]): string =>
  lines
    .map(runs =>
      runs
        .map(({ text }) => text)
        .join('')
        .trimEnd(),
    )
    .join('\n');

function styled(before: Style, codes: number[]): Style {
  let style = { ...before };
  for (const code of codes) {
    if (code === 0) style = {};
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 4) style.underline = true;
    else if (code === 7) style.inverse = true;
    else if (code === 22) style = { ...style, bold: false, dim: false };
    else if (code === 24) style.underline = false;
    else if (code === 27) style.inverse = false;
    else if (code >= 30 && code <= 37) style.colour = code - 30;
    else if (code === 39) delete style.colour;
    else if (code >= 90 && code <= 97) style.colour = code - 82;
  }
  return style;
}
