// A section: a titled part of a start's steps, each with its reason.
import type { Item } from '../linux/program.ts';

export interface Section {
  /** 'root filesystem' */
  title: string;
  items: Item[];
}

export function section(title: string, ...items: (Item | Item[])[]): Section {
  return { title, items: items.flat() };
}
