// Lists of cpus and memory nodes in the form of cpuset(7): '0-2,4'.

/** undefined when `text` is not such a list. */
export function decodeCpuList(text: string): Set<number> | undefined {
  const cpus = new Set<number>();
  for (const part of text.split(',').map(each => each.trim())) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (!match) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? first);
    if (last < first) return undefined;
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return cpus;
}
