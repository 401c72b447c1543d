// The items of a panel, and the data that they are drawn from.
import type { BoxView, View } from '../../formats/view.ts';
import type { Html } from '../../web/html.ts';
import type { History } from '../view/history.ts';
import { words } from './shapes.ts';

export interface Drawing {
  view: View;
  box: BoxView;
  history: History;
  columns: number;
}

export interface Item {
  shapes: Html;
  /** Height; 1 by default. */
  lines?: number;
  /** Columns; by default all, so that it stands alone. */
  width?: number;
  /** What it is about. An item with a key lights up when it is new or says something else. */
  key?: string;
  said?: string;
  /** For a drawing without words. */
  label?: string;
}

export function note(text: string, columns: number): Item {
  return { shapes: words(text, { width: columns, tone: 'quiet' }) };
}
