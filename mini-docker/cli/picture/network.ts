// The network of a box: each link, the cable to its other end, and the bridge that this is plugged into.
import type { LinkView } from '../../formats/view.ts';
import { type Html, html } from '../../web/html.ts';
import { wrapped } from '../show/wrapped.ts';
import { listeningText, processText, trafficText } from '../view/sections.ts';
import type { Drawing, Item } from './items.ts';
import { line, rectangle, words } from './shapes.ts';

export function network({ box, columns }: Drawing): Item[] {
  return [
    ...box.networks.flatMap(({ inode, pid, links, listening }, index): Item[] => [
      ...(index === 0
        ? []
        : [
            {
              key: `network ${inode}`,
              shapes: words(`namespace ${inode} of ${processText(pid, box)}`, {
                width: columns,
                tone: 'strong',
              }),
            },
          ]),
      ...listening.map(each => socket(listeningText(each), `${inode} ${listeningText(each)}`, columns)),
      ...links.flatMap(link => linkItems(link, inode, columns)),
    ]),
    ...box.published.map(text => socket(`published  ${text}`, `published ${text}`, columns)),
  ];
}

function socket(text: string, key: string, columns: number): Item {
  return {
    key,
    shapes: html`${rectangle({ x: 0.4, y: 0.25, width: 1.2, lines: 0.5, tone: 'socket' })}${words(text, { x: 3, width: columns - 3 })}`,
  };
}

function linkItems(link: LinkView, inode: number, columns: number): Item[] {
  const { name, kind, up, mac, mtu, addresses, peer } = link;
  const title = `${name} (${kind}, ${up ? 'up' : 'DOWN'})`;
  const details = kind === 'loopback' ? [] : [`${mac}, mtu ${mtu}`];
  const plug: Item = {
    key: `link ${inode} ${name}`,
    said: [title, ...addresses].join(' '),
    ...frame(
      [`${title}  ${addresses[0] ?? ''}`, ...addresses.slice(1), ...details],
      up ? 'own' : 'hosts',
      columns,
    ),
  };
  const counters = wrapped(trafficText(link).split(' '), columns - 5);
  const texts = counters.map((text, y) => words(text, { x: 5, y, width: columns - 5, tone: 'quiet' }));
  if (peer === undefined) return [plug, { lines: counters.length, shapes: html`${texts}` }];
  const { bridge, bridgeAddresses } = peer;
  const cable = html`${line([2.5, -0.2, 2.5, counters.length], 'cable')}${texts}`;
  const socket: Item = {
    key: `peer ${inode} ${name}`,
    said: peer.name,
    ...frame([`${peer.name}, the cable's other end`], 'hosts', columns),
  };
  if (bridge === undefined) return [plug, { lines: counters.length, shapes: cable }, socket];
  return [
    plug,
    { lines: counters.length, shapes: cable },
    socket,
    { lines: 0.4, label: 'is a port of', shapes: line([2.5, -0.2, 2.5, 0.4], 'wire') },
    {
      key: `bridge ${bridge}`,
      said: bridgeAddresses.join(' '),
      ...frame([`bridge ${bridge}`, ...bridgeAddresses], 'bridge', columns),
    },
  ];
}

/** Texts in a frame, the first one bold. */
function frame(texts: readonly string[], tone: string, columns: number): { lines: number; shapes: Html } {
  const lines = texts.map((text, y) =>
    words(text, { x: 1, y, width: columns - 2, tone: y === 0 ? 'strong' : 'quiet' }),
  );
  return {
    lines: texts.length + 0.2,
    shapes: html`${rectangle({ width: columns, lines: texts.length, tone })}${lines}`,
  };
}
