// Looks at a machine, drawn for one page after another: a stream of the server (web/server.ts).
import type { View } from '../../formats/view.ts';
import type { Site } from '../../web/server.ts';
import type { Seen } from '../view/changes.ts';
import { type History, remember } from '../view/history.ts';
import { drawPicture } from './picture.ts';

/** Columns of the narrowest picture, and of the widest. */
const [NARROWEST, WIDEST] = [36, 400];

/**
 * Draws the looks for a page of `columns` columns, at the box with the id `box`. The pages share the history.
 * @param options.looks looks until the caller stops reading them
 */
export function streamPicture(options: {
  noun: string;
  empty: string;
  looks(box: string | undefined): AsyncIterable<View>;
}): Site['streams'][string] {
  const { noun, empty, looks } = options;
  let history: History = new Map();
  return (tell, query) => {
    let isOpen = true;
    const columns = Math.min(WIDEST, Math.max(NARROWEST, Number(query.get('columns')) || 80));
    const draw = async (box: string | undefined): Promise<void> => {
      let seen: Seen = new Map();
      let opened: string | undefined;
      for await (const view of looks(box)) {
        if (!isOpen) return;
        history = remember(history, view);
        if (view.wanted !== opened) seen = new Map();
        opened = view.wanted;
        const drawn = drawPicture({ view, history, seen, columns, noun, empty });
        seen = drawn.seen;
        const { id, name, status } = view.boxes.find(each => each.id === view.wanted) ?? {};
        const boxes = view.boxes.map(each => ({ id: each.id, said: `${each.name}: ${each.status}` }));
        tell('picture', { picture: drawn.picture.html, chosen: id && { id, name, status }, boxes });
      }
      throw new Error('the daemon has ended');
    };
    void draw(query.get('box') ?? undefined)
      // It may be gone, as an address can be kept.
      .catch(error => (isOpen && error.status === 404 ? draw(undefined) : Promise.reject(error)))
      .catch(error => isOpen && tell('trouble', { message: (error as Error).message }));
    return () => {
      isOpen = false;
    };
  };
}
