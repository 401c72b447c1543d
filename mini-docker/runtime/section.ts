// The start of a container is a list of sections, each a list of system calls with their reasons.
import type { Item } from '../linux/program.ts';

export interface Section {
  /** 'root filesystem' */
  title: string;
  items: Item[];
}

export function section(title: string, ...items: (Item | Item[])[]): Section {
  return { title, items: items.flat() };
}
