// The bridges of the machine as bars, with a plug for each port and the name of the box at the cable's other end.
import type { BridgeView } from '../../formats/view.ts';
import { html } from '../../web/html.ts';
import type { Item } from './items.ts';
import { line, moved, rectangle, words } from './shapes.ts';

/** Columns and lines of a plug, with the wire above it; and ports that are drawn. */
const PLUG = { width: 24, lines: 1.9 };
const MOST = 40;

export function bridgeItems(bridges: readonly BridgeView[], columns: number): Item[] {
  return bridges.map(({ name, up, addresses, ports }): Item => {
    const perRow = Math.max(1, Math.floor(columns / (PLUG.width + 1)));
    const shown = ports.slice(0, MOST);
    const hidden = ports.length - shown.length;
    const title = [`bridge ${name}`, ...addresses, up ? '' : 'DOWN'].filter(Boolean).join('  ');
    const plugs = shown.map(({ name: port, up, end }, index) => {
      const text = end === undefined ? port : `${end.box} ${end.link}`;
      const place = {
        x: (index % perRow) * (PLUG.width + 1),
        y: 1 + Math.floor(index / perRow) * PLUG.lines,
      };
      return moved(
        html`${line([2.5, 0, 2.5, 0.7], up ? 'cable' : 'wire')}${rectangle({ y: 0.7, width: PLUG.width, lines: 1, tone: end ? 'own' : 'hosts' })}${words(text, { x: 1, y: 0.7, width: PLUG.width - 2 })}`,
        place,
      );
    });
    return {
      key: `bridge of the host ${name}`,
      said: [title, ...shown.map(({ end, name }) => end?.box ?? name)].join(' '),
      lines: 1.4 + Math.ceil(shown.length / perRow) * PLUG.lines,
      shapes: html`${rectangle({ width: columns, lines: 1, tone: 'bridge' })}${words(hidden > 0 ? `${title}  (${hidden} more ports)` : title, { x: 1, width: columns - 2, tone: 'strong' })}${plugs}`,
    };
  });
}
