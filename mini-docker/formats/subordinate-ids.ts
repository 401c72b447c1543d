// /etc/subuid and /etc/subgid: ids that root has reserved for users. subuid(5)

export interface IdRange {
  first: number;
  count: number;
}

/** Decodes subuid(5): lines 'ann:100000:65536', where a user may have several. */
export function decodeSubordinateIds(text: string, user: string, uid: number): IdRange[] {
  return text.split('\n').flatMap(line => {
    const [, owner, first, count] = /^([^:#]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? [];
    if (owner !== user && owner !== String(uid)) return [];
    return Number(count) > 0 ? [{ first: Number(first), count: Number(count) }] : [];
  });
}
