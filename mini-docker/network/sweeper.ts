export interface Sweeper {
  /** Adds names of links whose containers have exited. */
  add(links: readonly string[]): void;
  /** Removes them now. */
  sweep(): Promise<void>;
}

/**
 * A link goes with the namespace of its other end. But if another container's process keeps that namespace
 * (`--net container:NAME`), the link stays; it is then removed a moment later.
 */
export function createSweeper(remove: (names: string[]) => Promise<void>): Sweeper {
  const names = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const sweep = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const links = [...names].filter(name => name !== '');
    names.clear();
    if (links.length > 0) await remove(links);
  };
  return {
    sweep,
    add(links) {
      for (const link of links) names.add(link);
      // It runs in the background; links that cannot be removed now are found by the next adopt().
      timer ??= setTimeout(() => sweep().catch(() => {}), 1000).unref();
    },
  };
}
