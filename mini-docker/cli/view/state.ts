// The state of the view, and how looks and keys change it.
import type { View } from '../../formats/view.ts';
import { type Seen, watchAt } from './changes.ts';
import { type History, remember } from './history.ts';
import type { Glyphs, Line } from './lines.ts';
import { SECTIONS } from './sections.ts';

/** A line, and whether it has changed a moment ago. */
export interface DrawnLine extends Line {
  lit?: boolean;
}

export interface ViewState {
  /** 'mini-docker view' */
  title: string;
  /** Words for a box: 'container'. */
  noun: string;
  /** What to do when there is no box. */
  empty: string;
  actions: readonly Action[];
  view?: View;
  /** Id of the chosen box. */
  chosen?: string;
  /** 0 for all sections, then 1 + index in SECTIONS. */
  tab: number;
  /** First line that is shown. */
  scroll: number;
  history: History;
  /** Lines of the chosen box by section, with what is lit. */
  sections: readonly (readonly DrawnLine[])[];
  /** Keyed by the lines of the chosen box only. */
  seen: Seen;
  /** A text over the sections: the output of an action. */
  page?: { title: string; lines: readonly string[] };
  /** An action that waits for y. */
  asking?: Action;
  message?: string;
}

export interface Action {
  key: string;
  word: string;
  /** Arguments of the command, without the name of the box. */
  command: readonly string[];
  after?: readonly string[];
  /** 'terminal': it takes the terminal over. 'page': its output is shown. 'message': only how it ended. */
  shows: 'terminal' | 'page' | 'message';
  /** How to leave what has taken the terminal over: 'Ctrl-C'. */
  leave?: string;
  /** Asks first. */
  asks?: true;
}

export function firstState(options: Pick<ViewState, 'title' | 'noun' | 'empty' | 'actions'>): ViewState {
  return { ...options, tab: 0, scroll: 0, history: new Map(), sections: [], seen: new Map() };
}

/** A new look. */
export function looked(state: ViewState, view: View, drawing: { glyphs: Glyphs; width: number }): ViewState {
  const isThere = view.boxes.some(({ id }) => id === state.chosen);
  const chosen = isThere ? state.chosen : view.wanted;
  const moved = chosen !== state.chosen;
  const history = remember(state.history, view);
  const next: ViewState = { ...state, view, history, ...(moved ? { scroll: 0, seen: new Map() } : {}) };
  // The question was about the box that is gone.
  if (moved) delete next.asking;
  if (chosen === undefined) delete next.chosen;
  else next.chosen = chosen;
  return redrawn(next, drawing);
}

/** Draws the sections again, for a new look or another width. */
export function redrawn(state: ViewState, { glyphs, width }: { glyphs: Glyphs; width: number }): ViewState {
  const { view, history, chosen } = state;
  const box = view?.chosen;
  if (view === undefined || box === undefined || box.id !== chosen)
    return { ...state, sections: [], seen: new Map() };
  const { seen, isLit } = watchAt(view.at, state.seen);
  const sections = SECTIONS.map(({ lines }) =>
    lines({ view, box, history, glyphs, width }).map((line): DrawnLine => {
      const { key, text, watched = text } = line;
      return key !== undefined && isLit(key, watched) ? { ...line, lit: true } : line;
    }),
  );
  return { ...state, sections, seen };
}

export type Press = { state: ViewState; quit?: true; run?: Action };

/** @param height lines of the sections that the window shows */
export function pressed(state: ViewState, key: string, height: number): Press {
  if (state.asking !== undefined) {
    const { asking, ...rest } = state;
    return key === 'y' || key === 'Y' ? { state: rest, run: asking } : { state: rest };
  }
  const { message: _, ...calm } = state;
  if (key === 'q' || key === 'ctrl-c') return { state: calm, quit: true };
  const scrolled = scrollBy(key, height);
  if (scrolled !== undefined) return { state: { ...calm, scroll: Math.max(0, calm.scroll + scrolled) } };
  if (calm.page !== undefined) {
    const { page: _, ...rest } = calm;
    return key === 'escape' || key === 'left' || key === 'enter'
      ? { state: { ...rest, scroll: 0 } }
      : { state: calm };
  }
  if (key === 'up' || key === 'k') return { state: choose(calm, -1) };
  if (key === 'down' || key === 'j') return { state: choose(calm, 1) };
  const tabs = SECTIONS.length + 1;
  const turn = { left: -1, right: 1, tab: 1 }[key];
  if (turn !== undefined) return { state: { ...calm, tab: (calm.tab + turn + tabs) % tabs, scroll: 0 } };
  if (/^[1-9]$/.test(key) && Number(key) <= tabs)
    return { state: { ...calm, tab: Number(key) - 1, scroll: 0 } };
  const action = calm.actions.find(each => each.key === key);
  if (action === undefined || calm.chosen === undefined) return { state: calm };
  return action.asks ? { state: { ...calm, asking: action } } : { state: calm, run: action };
}

function scrollBy(key: string, height: number): number | undefined {
  const page = Math.max(1, height - 1);
  return { pagedown: page, pageup: -page, ' ': page, '+': 1, '-': -1, home: -1e9, end: 1e9 }[key];
}

function choose(state: ViewState, step: number): ViewState {
  const boxes = state.view?.boxes ?? [];
  const at = boxes.findIndex(({ id }) => id === state.chosen);
  const next = boxes[Math.min(Math.max(at + step, 0), boxes.length - 1)];
  if (next === undefined || next.id === state.chosen) return state;
  return { ...state, chosen: next.id, scroll: 0, sections: [], seen: new Map() };
}
