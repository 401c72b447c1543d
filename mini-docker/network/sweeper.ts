export interface Sweeper {
  /** Names of links whose containers have ended. */
  add(links: readonly string[]): void;
  /** Removes them now. */
  sweep(): Promise<void>;
}

/**
 * A link ends with the namespace its other end is in, and nobody has to wait for it; but where a process of somebody
 * else keeps that namespace (`--net container:NAME`), the link stays. A moment later those are taken away.
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
      // Nobody waits for it, and what cannot be removed now is found again by the next adopt().
      timer ??= setTimeout(() => sweep().catch(() => {}), 1000).unref();
    },
  };
}
