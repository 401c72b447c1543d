/** The result; undefined where it cannot be had, for a caller to whom the reason makes no difference. */
export function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
