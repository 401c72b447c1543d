/** `label` filters: 'key' wants the label, 'key=value' wants this value; all must match. */
export function matchesLabels(labels: Record<string, string>, wanted: string[]): boolean {
  return wanted.every(each => {
    const at = each.indexOf('=');
    if (at < 0) return Object.hasOwn(labels, each);
    const key = each.slice(0, at);
    return Object.hasOwn(labels, key) && labels[key] === each.slice(at + 1);
  });
}
